"""What the integration tests of a charm do with jubilant; prints what it got, one JSON object.

Usage: operate.py JUJU CHARM
"""

import json
import pathlib
import sys

import jubilant

FACTS = {}


def refused(call):
    """The class of the exception, and what stands in it."""
    try:
        call()
    except Exception as error:
        return {"type": type(error).__name__, "text": str(error)}
    return "allowed"


def active(*applications):
    return lambda status: jubilant.all_active(status, *applications)


def models(juju):
    juju.bootstrap("localhost", "ctl")
    juju.add_model("crossings", config={"update-status-hook-interval": "10m"})
    version = juju.version()
    model = juju.show_model()
    FACTS["version"] = [version.major, version.minor]
    FACTS["model"] = [juju.model, model.short_name, model.model_type, model.life]
    FACTS["model-config"] = dict(juju.model_config())["update-status-hook-interval"]
    juju.model_config({"automatically-retry-hooks": False})
    juju.model_config(reset="update-status-hook-interval")
    FACTS["model-config-reset"] = dict(juju.model_config())["update-status-hook-interval"]
    juju.model_constraints({"mem": "2G"})
    FACTS["constraints"] = dict(juju.model_constraints())


def deployment(juju, charm):
    juju.deploy(charm, "north", config={"captain": "Ishmael", "fare": 7, "night": True})
    juju.deploy(pathlib.Path(charm), "south", trust=True)
    juju.integrate("north:crossing", "south:landing")
    status = juju.wait(active("north", "south"), error=jubilant.any_error, delay=0.2)
    unit = status.apps["north"].units["north/0"]
    FACTS["deployed"] = {
        "version": status.apps["north"].version,
        "charm": [status.apps["north"].charm_name, status.apps["north"].charm_rev],
        "message": unit.workload_status.message,
        "ports": unit.open_ports,
        "leader": unit.leader,
        "related": status.apps["south"].relations["landing"][0].related_app,
        "storage": sorted(status.storage.storage),
        "south": status.apps["south"].units["south/0"].workload_status.message,
    }
    shown = juju.show_unit("south/0")
    landing = next(item for item in shown.relation_info if item.endpoint == "landing")
    FACTS["databag"] = landing.app_data
    FACTS["not-a-charm"] = refused(lambda: juju.deploy("./nowhere", "west"))


def configuration(juju):
    FACTS["config"] = dict(juju.config("north"))
    FACTS["app-config"] = dict(juju.config("south", app_config=True))
    juju.config("north", {"captain": "Queequeg", "night": False})
    juju.wait(
        lambda status: status.apps["north"].app_status.message == "Queequeg steers", delay=0.2
    )
    juju.config("north", reset=["fare", "night"])
    FACTS["config-reset"] = dict(juju.config("north"))
    FACTS["config-unknown"] = refused(lambda: juju.config("north", {"mast": 3}))


def tasks(juju):
    task = juju.run("north/0", "cross", {"passengers": 2, "cargo": {"kind": "salt"}})
    FACTS["run"] = {
        "status": task.status,
        "results": task.results,
        "stdout": task.stdout,
        "log": [line.rsplit(" UTC ", 1)[-1] for line in task.log],
        "success": task.success,
    }
    FACTS["run-leader"] = juju.run("north/leader", "cross", {"passengers": 1}, wait=30).results
    FACTS["run-failed"] = refused(lambda: juju.run("north/0", "sink"))
    FACTS["run-unknown"] = refused(lambda: juju.run("north/0", "fly"))
    FACTS["run-invalid"] = refused(lambda: juju.run("north/0", "cross", {"passengers": 0}))
    FACTS["exec"] = juju.exec("is-leader; pwd", unit="north/0").stdout.splitlines()[0]
    FACTS["exec-words"] = juju.exec("echo", "two  words", unit="north/0").stdout
    try:
        juju.exec("exit 3", unit="north/0")
    except jubilant.TaskError as error:
        FACTS["exec-failed"] = error.task.return_code
    FACTS["ssh"] = juju.ssh("north/0", "echo", "over").strip()


def secrets(juju):
    uri = juju.add_secret("gate", {"word": "open\nsesame"}, info="of the gate")
    FACTS["uri"] = uri.startswith("secret:")
    juju.grant_secret("gate", ["north", "south"])
    juju.config("north", {"toll": uri})
    juju.update_secret(uri, {"word": "sesame"}, info="changed", name="big-gate")
    shown = juju.show_secret("big-gate", reveal=True)
    old = juju.show_secret(uri, reveal=True, revision=1)
    FACTS["secret"] = {
        "revision": shown.revision,
        "content": shown.content,
        "old": old.content,
        "description": shown.description,
        "owner": shown.owner,
        "revisions": len(juju.show_secret(uri, revisions=True).revisions or []),
        "same": shown.uri.unique_identifier == uri.unique_identifier,
        "access": sorted(access["target"] for access in shown.access or []),
    }
    FACTS["secrets"] = [secret.name for secret in juju.secrets()]
    juju.wait(jubilant.all_agents_idle, delay=0.2)
    juju.config("north", reset="toll")
    juju.remove_secret("big-gate")
    FACTS["secrets-after"] = juju.secrets()


def scaling(juju):
    juju.add_unit("north", num_units=2)
    status = juju.wait(
        lambda status: len(status.apps["north"].units) == 3 and active("north")(status), delay=0.2
    )
    FACTS["leaders"] = [name for name, unit in status.get_units("north").items() if unit.leader]
    juju.remove_unit("north/1")
    status = juju.wait(lambda status: "north/1" not in status.get_units("north"), delay=0.2)
    FACTS["units"] = sorted(status.get_units("north"))


def failures(juju):
    juju.config("north", {"captain": "Ahab"})
    FACTS["wait-error"] = refused(
        lambda: juju.wait(active("north"), error=jubilant.any_error, delay=0.2)
    )["type"]
    status = juju.wait(lambda status: jubilant.any_error(status, "north"), delay=0.2)
    FACTS["error"] = status.get_units("north")["north/0"].workload_status.message
    FACTS["log"] = "no whaling" in juju.debug_log(limit=200)
    juju.config("north", {"captain": "Starbuck"})
    juju.cli("resolved", "--all")
    juju.wait(active("north"), delay=0.2)
    FACTS["timeout"] = refused(lambda: juju.wait(lambda _: False, timeout=1, delay=0.2))["type"]
    FACTS["no-command"] = refused(lambda: juju.cli("sail"))["type"]


def end(juju, charm):
    juju.refresh("south", path=charm)
    juju.remove_relation("north:crossing", "south:landing")
    juju.wait(lambda status: not status.apps["south"].relations.get("landing"), delay=0.2)
    juju.wait(
        lambda status: status.apps["south"].app_status.message == "for a crossing", delay=0.2
    )
    juju.remove_application("north", "south", destroy_storage=True)
    status = juju.wait(lambda status: not status.apps, delay=0.2)
    FACTS["left"] = [len(status.apps), len(status.storage.storage)]
    juju.destroy_model("crossings", destroy_storage=True, force=True)
    FACTS["model-after"] = juju.model


def main():
    binary, charm = sys.argv[1:3]
    juju = jubilant.Juju(cli_binary=binary, wait_timeout=90)
    models(juju)
    deployment(juju, charm)
    configuration(juju)
    tasks(juju)
    secrets(juju)
    scaling(juju)
    failures(juju)
    end(juju, charm)
    print(json.dumps(FACTS))


if __name__ == "__main__":
    main()
