"""The cluster: every part is there, they speak to each other, and nothing is left of them."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import pytest
import requests

from deploy.local.stack import ADMIN
from deploy.proving import debian, layout, parts
from deploy.proving.audit import wrong_documents
from deploy.proving.cluster import Cluster
from deploy.proving.servers import exporters, postgres, valkey
from perf.cluster import exact
from tests.support.boards import EXPORTERS, FAULTS_ALONE, shown
from tests.support.client import Client
from tests.support.paths import ROOT
from tests.support.runbook import Operator, typed
from tests.support.waiting import eventually

MISSING = [program for program in debian.PACKAGES if debian.find(program) is None]
# Requests a minute: fewer than by default, so that the limit is reached in a moment.
LIMIT = 3000
cluster_needs = pytest.mark.skipif(bool(MISSING), reason=f"{', '.join(MISSING)} not installed")


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with layout.choose() as places, pytest.MonkeyPatch.context() as patched:
        # Each instance with one worker process: what matters here is that there are three instances.
        patched.setattr(parts, "_WORKERS", 1)
        running = Cluster(places, lambda _: None, lambda: False)
        running.parts.variables = {"RATE_LIMIT_PER_MINUTE": str(LIMIT)}
        try:
            running.start(programs=200)
            yield running
        finally:
            running.stop()


@cluster_needs
@pytest.mark.slow
@pytest.mark.timeout(900)
class TestCluster:
    def test_every_part_runs(self, cluster: Cluster) -> None:
        assert [name for name, child in cluster.children.items() if not child.running] == []
        kinds = {name.rstrip("0123456789-") for name in cluster.children}
        assert kinds >= {"nginx", "api", "pgbouncer", "primary", "replica", "cache", "queue", "sync"}
        assert kinds >= {"engine-a", "engine-b", "worker", "scheduler", "prometheus"}
        assert len(cluster.layout.apis) == 3

    def test_what_an_editor_publishes_is_found_through_every_instance(self, cluster: Cluster) -> None:
        editor = Client(cluster.url)
        given = {"email": ADMIN, "password": cluster.parts.password}
        token = editor.post("/accounts/login", given).json()["data"]["accessToken"]
        editor.session.headers["Authorization"] = f"Bearer {token}"
        draft = {
            "title": "Quokka cartography",
            "description": "A first episode.",
            "language": "en",
            "mediaType": "audio",
            "kind": "episode",
        }
        program = editor.post("/catalog/programs", draft).json()["data"]
        assert editor.post(f"/catalog/programs/{program['id']}/publish").status_code == 200
        for address in (cluster.url, *(cluster.layout[name].url for name in cluster.layout.apis)):
            listener = Client(address)

            def found(listener: Client = listener) -> bool:
                page = listener.get("/discovery/search", q="quokka cartography").json()
                return [row["id"] for row in page["data"]] == [program["id"]]

            eventually(found, what=address)
            assert listener.get(f"/discovery/programs/{program['id']}").status_code == 200
        assert wrong_documents(cluster) == {"a": 0, "b": 0}

    def test_it_is_the_production_shape(self, cluster: Cluster) -> None:
        assert postgres.streams(cluster.layout["primary"])
        pooler = cluster.layout["pgbouncer"]
        with psycopg.connect(
            host=pooler.host,
            port=pooler.port,
            user=postgres.ROLE,
            password=cluster.parts.password,
            dbname="pgbouncer",
            autocommit=True,
        ) as console:
            rows = console.execute("SHOW CONFIG", prepare=False).fetchall()
        config = {row[0]: row[1] for row in rows}
        names = ("pool_mode", "max_client_conn", "default_pool_size", "auth_type")
        assert [config[name] for name in names] == ["transaction", "1000", "25", "scram-sha-256"]
        for name in cluster.layout.apis:

            def is_well(address: str = cluster.layout[name].url) -> bool:
                answer = requests.get(f"{address}/health/ready", timeout=30)
                return (answer.status_code, answer.json()["status"]) == (200, "ok")

            # A probe of it ends after a second: on a busy machine it is asked again.
            eventually(is_well, what=name)

    def test_prometheus_reaches_every_target_and_knows_the_rules(self, cluster: Cluster) -> None:
        url = cluster.layout["prometheus"].url

        def states() -> set[str]:
            found = requests.get(f"{url}/api/v1/targets", timeout=30).json()["data"]["activeTargets"]
            return {target["health"] for target in found} if found else {"none"}

        eventually(lambda: states() == {"up"}, within=120, what="every target is up")
        groups = requests.get(f"{url}/api/v1/rules", timeout=30).json()["data"]["groups"]
        assert {group["name"] for group in groups} >= {"pipeline", "listeners", "slo-availability"}

    def test_nothing_was_refused_to_the_users_of_redis(self, cluster: Cluster) -> None:
        for name in (*cluster.layout.cache_nodes, "queue"):
            said = valkey.ask(cluster.layout[name], cluster.parts.redis.operator, "ACL", "LOG")
            assert said == "[]", (name, said)

    def test_a_withdrawal_and_a_publish_reach_every_process(self, cluster: Cluster) -> None:
        found = exact.invalidations(cluster, rounds=2)
        # How long it took is measured by make cluster-exact, on a machine that does nothing else.
        assert [row.found for row in found if row.goal == "0"] == ["0"]

    def test_views_and_the_limit_are_exact_across_instances(self, cluster: Cluster) -> None:
        rows = [*exact.views(cluster, 40, 200), exact.limit(cluster, LIMIT)]
        assert [row for row in rows if not row.holds] == []

    def test_every_expression_of_a_board_returns_data(self, cluster: Cluster) -> None:
        url = cluster.layout["prometheus"].url
        missing = {
            name
            for name in EXPORTERS
            if not debian.find(exporters.POSTGRES if name.startswith("pg_") else exporters.REDIS)
        }
        expected = {text for text in shown() if not any(name in text for name in missing | FAULTS_ALONE)}
        assert len(expected) > 40
        listener = Client(cluster.url)
        cluster.run("drift")
        # A job, and an import that ends.
        cluster.run("reindex", "--engine", "a")
        rows = "externalId,title,language,mediaType,mediaUrl\n1,Quokka census,en,audio,https://cdn.example/1.mp3\n"
        asked = {
            "url": f"{cluster.url}/catalog/imports/upload?sourceType=csv",
            "data": rows.encode(),
            "headers": {"Content-Type": "application/octet-stream"},
        }
        assert exact.signed_in(cluster).post(**asked, timeout=30).status_code == 202

        def silent() -> set[str]:
            # As typed with the keyboard in Arabic.
            listener.get("/discovery/search", q="ضعخننش")
            listener.get("/discovery/search", q="qqqq quokka")
            listener.get("/discovery/browse", limit="7")
            found = set()
            for text in expected:
                answer = requests.get(f"{url}/api/v1/query", params={"query": text}, timeout=30).json()
                assert answer["status"] == "success", (text, answer)
                if not answer["data"]["result"]:
                    found.add(text)
            return found

        with contextlib.suppress(AssertionError):
            eventually(lambda: not silent(), within=120)
        assert silent() == set()

    def test_a_lost_instance_is_not_noticed_and_comes_back(self, cluster: Cluster) -> None:
        listener = Client(cluster.url)
        cluster.kill("api-1")
        asked = [listener.get("/discovery/search", q=f"word{n}").status_code for n in range(12)]
        cluster.restart("api-1")
        assert asked == [200] * 12

    def test_every_command_of_the_runbooks_runs(self, cluster: Cluster, tmp_path: Path) -> None:
        # On the cluster, at its end: one of them promotes the replica.
        operator = Operator(cluster, tmp_path)
        try:
            operator.start_further_engine()
            lines = typed()
            assert len(lines) > 25
            said = {line: operator.type(line) for line in lines}
        finally:
            operator.further.stop()
        assert "c" in said["thmanyah engine list"].split()
        assert not postgres.streams(cluster.layout["primary"])

    def test_nothing_is_left(self, cluster: Cluster) -> None:
        pids = [child.process.pid for child in cluster.children.values() if child.process is not None]
        members = [pid for pid in pids for pid in [pid, *(p.pid for p in psutil.Process(pid).children(True))]]
        folder = cluster.folder
        cluster.stop()
        deadline = time.monotonic() + 10
        while any(map(psutil.pid_exists, members)) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert [pid for pid in members if psutil.pid_exists(pid)] == []
        assert not folder.exists()


def test_a_missing_server_is_named_with_the_command_that_brings_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(debian, "_FOLDERS", "/nowhere")
    monkeypatch.setitem(os.environ, "PATH", "/nowhere")
    with pytest.raises(
        debian.MissingServersError,
        match=r"nginx, prometheus not found\. .*apt-get install nginx-light prometheus",
    ):
        debian.require("nginx", "prometheus")


def test_two_clusters_never_share_a_network() -> None:
    with layout.choose() as first, layout.choose() as second:
        assert first.network != second.network
        places = [place.address for found in (first, second) for place in found.places.values()]
        assert len(set(places)) == len(places)


@cluster_needs
@pytest.mark.slow
def test_ctrl_c_at_any_moment_leaves_nothing(tmp_path: Path) -> None:
    environment = os.environ | {"TMPDIR": str(tmp_path)}
    command = [sys.executable, "-m", "deploy.proving", "--programs", "10"]
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as running:
        assert running.stdout is not None
        for line in running.stdout:
            if "generated programs loaded" in line:
                break
        members = psutil.Process(running.pid).children(recursive=True)
        assert len(members) > 5
        running.send_signal(signal.SIGINT)
        rest = running.stdout.read()
    assert (running.returncode, "nothing is left" in rest) == (1, True), rest
    _, alive = psutil.wait_procs(members, timeout=10)
    assert alive == []
    assert list(tmp_path.iterdir()) == []
