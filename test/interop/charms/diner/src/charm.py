#!/usr/bin/env python3
"""The requirer's ends of object-storage-charmlib and dpcharmlibs-interfaces, as they document it."""

import json

import ops
from dpcharmlibs.interfaces import (
    RequirerCommonModel,
    ResourceProviderModel,
    ResourceRequirerEventHandler,
)
from object_storage import S3Requirer


class Diner(ops.CharmBase):
    _stored = ops.StoredState()

    def __init__(self, framework):
        super().__init__(framework)
        self._stored.set_default(told=[], resources=[])
        self.s3 = S3Requirer(self, "s3", bucket="cutlery", path="drawer")
        request = RequirerCommonModel(resource="orders", extra_user_roles="waiter")
        self.database = ResourceRequirerEventHandler(
            self, "database", [request], response_model=ResourceProviderModel
        )
        framework.observe(self.s3.on.storage_connection_info_changed, self._on_storage_changed)
        framework.observe(self.s3.on.storage_connection_info_gone, self._on_storage_gone)
        framework.observe(self.database.on.resource_created, self._on_resource)
        framework.observe(self.database.on.authentication_updated, self._on_resource)
        framework.observe(self.on.report_action, self._on_report)
        framework.observe(self.on.collect_unit_status, self._on_collect_status)

    def _on_storage_changed(self, event):
        info = self.s3.get_storage_connection_info(event.relation)
        self._stored.told.append({"event": "storage-changed", "info": json.dumps(info)})

    def _on_storage_gone(self, event):
        self._stored.told.append({"event": "storage-gone", "info": "{}"})

    def _on_resource(self, event):
        response = event.response
        self._stored.resources.append(
            {
                "event": event.handle.kind,
                "resource": response.resource,
                "username": str(response.username),
                "password": str(response.password),
                "endpoints": response.endpoints,
                "version": response.version,
            }
        )

    def _on_report(self, event):
        told = [
            {"event": item["event"], "info": json.loads(item["info"])} for item in self._stored.told
        ]
        resources = [dict(resource) for resource in self._stored.resources]
        event.set_results({"report": json.dumps({"storage": told, "resources": resources})})

    def _on_collect_status(self, event):
        """The newest access key and password, for who waits for them."""
        told = [json.loads(item["info"]).get("access-key", "gone") for item in self._stored.told]
        passwords = [resource["password"] for resource in self._stored.resources]
        newest = (told or ["none"])[-1], (passwords or ["none"])[-1]
        event.add_status(ops.ActiveStatus(f"{newest[0]}, {newest[1]}"))


if __name__ == "__main__":
    ops.main(Diner)
