#!/usr/bin/env python3
"""Both ends of database_backup v0, written from its schemas alone; it knows no extension."""

import json

import ops
import s3


class Scribe(ops.CharmBase):
    def __init__(self, framework):
        super().__init__(framework)
        framework.observe(self.on.install, self._on_install)
        framework.observe(self.on.kept_relation_changed, self._on_jobs_changed)
        framework.observe(self.on.write_action, self._on_write)
        framework.observe(self.on.read_action, self._on_read)
        framework.observe(self.on.order_action, self._on_order)
        framework.observe(self.on.withdraw_action, self._on_withdraw)
        framework.observe(self.on.followup_action, self._on_followup)
        framework.observe(self.on.collect_unit_status, self._on_collect_status)

    @property
    def _notes(self):
        return self.charm_dir / "notes"

    def _on_install(self, _):
        self._notes.write_text("")

    def _on_collect_status(self, event):
        event.add_status(ops.ActiveStatus())

    # The provider's end: the unit has its notes backed up.

    def _on_jobs_changed(self, event):
        relation = event.relation
        wanted = json.loads(relation.data[relation.app].get("jobs", "[]"))
        answered = json.loads(relation.data[self.unit].get("jobs", "[]"))
        known = {status["job-id"]: status for status in answered}
        statuses = [known.get(job["job-id"]) or self._perform(job) for job in wanted]
        relation.data[self.unit]["jobs"] = json.dumps(statuses)

    def _perform(self, job):
        storage = job["storage-config"]
        prefix = (storage.get("path") or "").strip("/")
        path = job.get("artefact-path") or f"{prefix}/notes/{job['job-id']}/"
        path = path.strip("/") + "/"
        status = {name: job[name] for name in ("job-id", "job-type", "storage-interface")}
        status["storage-config"] = {**storage, "access-key": "-", "secret-key": "-"}
        try:
            if job["job-type"] == "backup":
                s3.request(storage, "PUT", f"{path}notes", self._notes.read_bytes())
            else:
                self._notes.write_bytes(s3.request(storage, "GET", f"{path}notes"))
        except OSError as error:
            return {**status, "status": "error", "message": str(error)}
        return {**status, "status": "success", "artefact-path": path}

    def _on_write(self, event):
        self._notes.write_text(event.params["text"])

    def _on_read(self, event):
        event.set_results({"notes": self._notes.read_text()})

    # The requirer's end: it has another charm's database backed up.

    def _on_order(self, event):
        job = {
            "job-id": event.params["job-id"],
            "job-type": event.params["job-type"],
            "job-config": {"compression": True},
            "storage-interface": "s3",
            "storage-config": json.loads(event.params["storage-config"]),
        }
        if event.params["artefact-path"]:
            job["artefact-path"] = event.params["artefact-path"]
        bag = self.model.get_relation("orders").data[self.app]
        bag["jobs"] = json.dumps([*json.loads(bag.get("jobs", "[]")), job])

    def _on_withdraw(self, event):
        self.model.get_relation("orders").data[self.app]["jobs"] = "[]"

    def _on_followup(self, event):
        relation = self.model.get_relation("orders")
        jobs = [
            status
            for unit in relation.units
            for status in json.loads(relation.data[unit].get("jobs", "[]"))
        ]
        event.set_results({"jobs": json.dumps(jobs)})


if __name__ == "__main__":
    ops.main(Scribe)
