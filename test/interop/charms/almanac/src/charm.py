#!/usr/bin/env python3
"""A charm that uses all of ops, and keeps an account of what Juju told it."""

import dataclasses
import json
import os
import pathlib
import subprocess

import ops


class PageTurned(ops.EventBase):
    """Fired by the charm's own background process, and nested inside of other events."""

    def __init__(self, handle, reason="outside"):
        super().__init__(handle)
        self.reason = reason

    def snapshot(self):
        return {"reason": self.reason}

    def restore(self, snapshot):
        self.reason = snapshot["reason"]


class AlmanacEvents(ops.CharmEvents):
    page_turned = ops.EventSource(PageTurned)


@dataclasses.dataclass
class WriteParams:
    text: str
    times: int
    ink: dict


@dataclasses.dataclass
class Offer:
    secret: str
    shelves: list


class Almanac(ops.CharmBase):
    on = AlmanacEvents()
    _stored = ops.StoredState()

    def __init__(self, framework):
        super().__init__(framework)
        self._stored.set_default(seen=[], entries=[], handled=[], borrowed={}, places={})
        self._observe_life_cycle()
        self._observe_relations()
        on = self.on
        framework.observe(on.secret_rotate, self._on_secret_rotate)
        framework.observe(on.secret_changed, self._on_secret_changed)
        framework.observe(on.secret_remove, self._on_secret_remove)
        framework.observe(on.page_turned, self._on_page_turned)
        framework.observe(on.report_action, self._on_report)
        framework.observe(on.write_action, self._on_write)
        framework.observe(on.tear_action, self._on_tear)
        framework.observe(on.crash_action, self._on_crash)
        framework.observe(on.reseal_action, self._on_reseal)
        framework.observe(on.read_action, self._on_read)
        framework.observe(on.store_more_action, self._on_store_more)
        framework.observe(on.collect_unit_status, self._on_collect_unit)
        framework.observe(on.collect_app_status, self._on_collect_app)

    # Life cycle

    def _observe_life_cycle(self):
        observe, on = self.framework.observe, self.on
        for event in (on.stop, on.remove, on.update_status):
            observe(event, self._note)
        observe(on.install, self._on_install)
        observe(on.start, self._on_start)
        observe(on.config_changed, self._on_config_changed)
        observe(on.leader_elected, self._on_leader_elected)
        for event in (on["shelf"].storage_attached, on["attic"].storage_attached):
            observe(event, self._on_storage_attached)
        for event in (on["shelf"].storage_detaching, on["attic"].storage_detaching):
            observe(event, self._on_storage_detaching)

    def _note(self, event):
        """One line an event: its name and whom it is about."""
        words = [event.handle.kind]
        if isinstance(event, ops.RelationEvent):
            words.append(event.unit.name if event.unit else event.app.name)
        if isinstance(event, ops.RelationDepartedEvent):
            words.append(f"departing={event.departing_unit.name}")
        self._tell(" ".join(words))

    def _tell(self, line):
        """Keeps the line where it is lost with a failed hook, and where tests can see it at once."""
        self._stored.seen.append(line)
        with open(self.charm_dir / "told", "a") as told:
            told.write(f"{line}\n")

    def _on_install(self, event):
        self._note(event)
        self.unit.set_workload_version("1.2.3")
        self.unit.status = ops.MaintenanceStatus("binding")

    def _on_start(self, event):
        self._note(event)
        environment = dict(os.environ)
        environment.pop("JUJU_CONTEXT_ID")
        log = open(self.charm_dir / "turner.log", "wb")
        script = [str(self.charm_dir / "src" / "turn_page.sh"), self.unit.name]
        subprocess.Popen(script, env=environment, stdout=log, stderr=log, start_new_session=True)

    def _on_config_changed(self, event):
        self._note(event)
        if self.config["hold"]:
            event.defer()
            return
        self._stored.handled.append(str(self.config["title"]))
        self.unit.set_ports(int(self.config["port"]), ops.Port("udp", 514))

    def _on_leader_elected(self, event):
        self._note(event)
        self.model.get_relation("pages").data[self.app]["editor"] = self.unit.name
        self._seal()

    def _seal(self):
        """The secret that is lent; a relation may come before the leader is told that it leads."""
        pages = self.model.get_relation("pages")
        if "seal" in pages.data[self.app]:
            return self.model.get_secret(label="seal")
        secret = self.app.add_secret(
            {"word": "first"},
            label="seal",
            description="what opens the almanac",
            rotate=ops.SecretRotate.HOURLY,
        )
        pages.data[self.app]["seal"] = secret.id
        return secret

    def _on_storage_attached(self, event):
        self._note(event)
        self._stored.places[event.storage.full_id] = str(event.storage.location)
        (event.storage.location / "book").write_text(event.storage.full_id)

    def _on_storage_detaching(self, event):
        self._note(event)

    # Relations and secrets

    def _observe_relations(self):
        for name in self.meta.relations:
            on = self.on[name]
            self.framework.observe(on.relation_created, self._on_relation_created)
            self.framework.observe(on.relation_joined, self._note)
            self.framework.observe(on.relation_changed, self._on_relation_changed)
            self.framework.observe(on.relation_departed, self._note)
            self.framework.observe(on.relation_broken, self._note)

    def _on_relation_created(self, event):
        self._note(event)
        event.relation.data[self.unit]["born"] = self.unit.name
        if event.relation.name == "lends" and self.unit.is_leader():
            secret = self._seal()
            secret.grant(event.relation)
            offer = Offer(secret=secret.id, shelves=["shelf"])
            event.relation.save(offer, self.app)

    def _on_relation_changed(self, event):
        self._note(event)
        relation = event.relation
        if relation.name == "borrows" and relation.data[relation.app].get("secret"):
            offer = relation.load(Offer, relation.app)
            secret = self.model.get_secret(id=offer.secret, label="borrowed")
            self._stored.borrowed["word"] = secret.get_content()["word"]
            self._stored.borrowed["shelves"] = offer.shelves
            self.on.page_turned.emit("borrowed")

    def _on_secret_changed(self, event):
        self._note(event)
        self._stored.borrowed["label"] = event.secret.label
        self._stored.borrowed["tracked"] = event.secret.get_content()["word"]
        self._stored.borrowed["peeked"] = event.secret.peek_content()["word"]

    def _on_secret_rotate(self, event):
        self._note(event)
        event.secret.set_content({"word": "rotated"})

    def _on_secret_remove(self, event):
        self._tell(f"secret_remove {event.revision}")
        event.remove_revision()

    def _on_page_turned(self, event):
        self._tell(f"page_turned {event.reason}")

    # Actions

    def _on_write(self, event):
        params = event.load_params(WriteParams)
        for number in range(params.times):
            event.log(f"writing {number + 1} of {params.times}")
        self._stored.entries.extend([params.text] * params.times)
        event.set_results({"entries": len(self._stored.entries), "ink": params.ink})

    def _on_tear(self, event):
        event.set_results({"torn": "half"})
        event.fail("the paper is too strong")

    def _on_crash(self, event):
        self.model.get_relation("pages").data[self.unit]["spoilt"] = "yes"
        self._stored.entries.append("spoilt")
        event.set_results({"reached": "the end"})
        raise RuntimeError("spilt ink")

    def _on_reseal(self, event):
        secret = self.model.get_secret(label="seal")
        secret.set_content({"word": event.params["word"]})
        info = secret.get_info()
        event.set_results({"revision": info.revision, "rotation": info.rotation.value})

    def _on_read(self, event):
        secret = self.model.get_secret(label="borrowed")
        event.set_results({"word": secret.get_content(refresh=True)["word"]})

    def _on_store_more(self, event):
        self.model.storages.request("attic", 1)

    def _on_report(self, event):
        event.set_results({"report": json.dumps(self._report())})

    def _report(self):
        pages = self.model.get_relation("pages")
        report = {
            "seen": list(self._stored.seen),
            "entries": list(self._stored.entries),
            "handled": list(self._stored.handled),
            "borrowed": json.loads(json.dumps(dict(self._stored.borrowed), default=list)),
            "places": dict(self._stored.places),
            "leader": self.unit.is_leader(),
            "planned": self.app.planned_units(),
            "config": {key: self.config[key] for key in sorted(self.config) if key != "key"},
            "ports": sorted(f"{port.port}/{port.protocol}" for port in self.unit.opened_ports()),
            "book": self._own_app_data(pages),
            "peers": sorted(unit.name for unit in pages.units),
            "born": sorted(pages.data[unit]["born"] for unit in pages.units),
            "spoilt": "spoilt" in pages.data[self.unit],
            "remote-model": pages.remote_model.uuid == self.model.uuid,
            "address": str(self.model.get_binding("pages").network.bind_address),
            "seeded": pages.data[self.unit]["ingress-address"],
            "refusals": self._refusals(pages),
            "status": self.unit.status.name,
            "home": os.environ.get("HOME", ""),
        }
        if "key" in self.config:
            report["key"] = self.model.get_secret(id=self.config["key"]).get_content()
        return report

    def _own_app_data(self, pages):
        return dict(pages.data[self.app])

    def _refusals(self, pages):
        """What Juju refuses, by the names ops gives it."""
        attempts = {
            "unknown-secret": lambda: self.model.get_secret(id="secret:cvq0000000000000000g"),
            "unknown-label": lambda: self.model.get_secret(label="nobody"),
            "app-status": lambda: self.app.status,
            "binding": lambda: self.model.get_binding("nowhere").network,
            "credentials": self.model.get_cloud_spec,
        }
        if not self.unit.is_leader():
            attempts["app-data"] = lambda: pages.data[self.app].update({"editor": "me"})
        return {name: self._refusal(attempt) for name, attempt in attempts.items()}

    @staticmethod
    def _refusal(attempt):
        try:
            attempt()
            return "allowed"
        except Exception as error:
            return type(error).__name__

    # Status

    def _on_collect_unit(self, event):
        if self.config["title"] == "blank":
            event.add_status(ops.BlockedStatus("give it a title"))
        event.add_status(ops.ActiveStatus(f"entries: {len(self._stored.entries)}"))

    def _on_collect_app(self, event):
        event.add_status(ops.ActiveStatus(f"volumes: {self.app.planned_units()}"))


if __name__ == "__main__":
    ops.main(Almanac)
