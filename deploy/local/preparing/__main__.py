"""The process that prepares: reads steps from stdin, and writes their answers to stdout, until its parent closes the line."""

import json
import os
import signal
import sys
import traceback

from deploy.explain import explain
from deploy.local.preparing import Facts
from indexer.process import loading


def main() -> None:
    """Answer until the parent is gone."""
    # A Ctrl-C of the terminal reaches this process, too. Its parent says what is to be said.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    # What a library prints is no answer.
    os.dup2(2, 1)

    def answer(name: str, value: object) -> None:
        answers.write(json.dumps({name: value}) + "\n")

    for line in sys.stdin:
        asked = json.loads(line)
        try:
            with loading.quickly():
                from deploy.local.preparing import settings
            if asked["step"] == "settings":
                answer("done", settings.check())
                # Meanwhile the parent starts servers.
                with loading.quickly():
                    import deploy.local.preparing.steps  # noqa: F401 (for the next line)
                continue
            from deploy.local.preparing.steps import STEPS

            answer("done", STEPS[asked["step"]](Facts(**asked["facts"]), lambda text: answer("say", text)))
        except Exception as error:
            explanation = explain(error)
            if explanation is None:
                traceback.print_exc()
            answer("failed", explanation or f"{type(error).__name__} in the step {asked['step']}.")


if __name__ == "__main__":
    main()
