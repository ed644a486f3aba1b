#!/usr/bin/env python3
"""The provider's ends of object-storage-charmlib and dpcharmlibs-interfaces, used as they document it."""

import ops
from dpcharmlibs.interfaces import (
    RequirerCommonModel,
    ResourceProviderEventHandler,
    ResourceProviderModel,
)
from object_storage import S3Provider


class Cellar(ops.CharmBase):
    _stored = ops.StoredState()

    def __init__(self, framework):
        super().__init__(framework)
        self._stored.set_default(password="first", requests={})
        self.s3 = S3Provider(self, "s3")
        self.database = ResourceProviderEventHandler(self, "database", RequirerCommonModel)
        framework.observe(self.s3.on.storage_connection_info_requested, self._on_storage_requested)
        framework.observe(self.database.on.resource_requested, self._on_resource_requested)
        framework.observe(self.on.config_changed, self._publish_storage)
        framework.observe(self.on.secret_changed, self._publish_storage)
        framework.observe(self.on.change_password_action, self._on_change_password)
        framework.observe(self.on.collect_unit_status, self._on_collect_status)

    def _on_storage_requested(self, event):
        self._share_storage(event.relation)

    def _publish_storage(self, _):
        for relation in self.model.relations["s3"]:
            if self.s3.is_protocol_ready(relation):
                self._share_storage(relation)

    def _share_storage(self, relation):
        if "credentials" not in self.config or not self.unit.is_leader():
            return
        secret = self.model.get_secret(id=self.config["credentials"])
        keys = secret.get_content(refresh=True)
        wanted = self.s3.fetch_relation_data([relation.id], ["bucket"])[relation.id]
        info = {
            "access-key": keys["access-key"],
            "secret-key": keys["secret-key"],
            "bucket": self.config["bucket"] or wanted.get("bucket", ""),
            "endpoint": self.config["endpoint"],
            "region": "default",
        }
        if self.config["chain"]:
            info["tls-ca-chain"] = str(self.config["chain"]).split(",")
        self.s3.set_storage_connection_info(relation.id, info)

    def _on_resource_requested(self, event):
        self._stored.requests[str(event.relation.id)] = [
            event.request.request_id,
            event.request.salt,
            event.request.resource,
        ]
        self._share_database(event.relation.id)

    def _share_database(self, relation_id):
        request_id, salt, resource = self._stored.requests[str(relation_id)]
        response = ResourceProviderModel(
            request_id=request_id,
            salt=salt,
            resource=resource,
            username="cook",
            password=self._stored.password,
            endpoints="192.0.2.1:5432",
            version="16.4",
        )
        self.database.set_response(relation_id, response)

    def _on_change_password(self, event):
        self._stored.password = event.params["password"]
        for relation in self.model.relations["database"]:
            self._share_database(relation.id)

    def _on_collect_status(self, event):
        event.add_status(ops.ActiveStatus())


if __name__ == "__main__":
    ops.main(Cellar)
