// A listener and an editor, through the types that openapi-typescript generates: node journey.js BASE E-MAIL PASSWORD
import createClient from "openapi-fetch";
import type { components, paths } from "./api.js";

declare const process: { argv: string[] };
const [base = "", email = "", password = ""] = process.argv.slice(2);

function must<T>(answer: { data?: T; error?: unknown }): T {
  if (answer.data === undefined) throw new Error(JSON.stringify(answer.error));
  return answer.data;
}

const listener = createClient<paths>({ baseUrl: base });
const found = must(await listener.GET("/discovery/search", { params: { query: { q: "coffee" } } }));
const kinds: components["schemas"]["Kind"][] = found.data.map((card) => card.kind);

const browsed: string[] = [];
let cursor: string | undefined;
do {
  const page = must(await listener.GET("/discovery/browse", { params: { query: { limit: 2, cursor } } }));
  browsed.push(...page.data.map((card) => card.title));
  cursor = page.meta.nextCursor ?? undefined;
} while (cursor !== undefined);

const ids = found.data.map((card) => card.id);
const batch = must(await listener.POST("/discovery/programs/batch", { body: { ids } }));
const offered = must(await listener.GET("/discovery/suggest", { params: { query: { q: "morn" } } }));

const tokens = must(await listener.POST("/accounts/login", { body: { email, password } })).data;
const editor = createClient<paths>({
  baseUrl: base,
  headers: { Authorization: `Bearer ${tokens.accessToken}` },
});
const program: components["schemas"]["ProgramIn"] = {
  title: "Made by TypeScript",
  language: "en",
  mediaType: "audio",
  kind: "episode",
  mediaUrl: "https://cdn.example/typescript.mp3",
};
const made = must(await editor.POST("/catalog/programs", { body: program })).data;
const published = must(
  await editor.POST("/catalog/programs/{program_id}/publish", { params: { path: { program_id: made.id } } }),
).data;
const csv = "externalId,title,language,mediaType,kind,mediaUrl\n1,Uploaded,en,audio,episode,https://cdn.example/2.mp3\n";
const run = must(
  await editor.POST("/catalog/imports/upload", {
    params: { query: { sourceType: "csv", dryRun: true } },
    body: csv,
    bodySerializer: (file: string) => file,
    headers: { "Content-Type": "application/octet-stream" },
  }),
).data;

console.log(
  JSON.stringify({
    found: found.data.map((card) => card.title),
    kinds,
    browsed,
    batch: batch.data.map((card) => card.id).sort(),
    ids: ids.sort(),
    offered: offered.data.map((one) => one.text),
    status: published.status,
    run: run.status,
  }),
);
