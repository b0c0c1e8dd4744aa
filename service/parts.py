"""What the functions of the service work with: settings, database, queue, blobs and processes."""

from __future__ import annotations

from dataclasses import dataclass, field

from fft_tool.stores.folder import FolderStore
from fft_tool.stores.opening import open_store
from service.blobs import Blobs
from service.clock import Clock
from service.database.engine import Database
from service.jobs.queue import Queue, open_queue
from service.latency import RequestTimes
from service.settings import Settings
from service.workbench import Workbench


@dataclass(frozen=True, slots=True)
class Parts:
    """The parts of a service; the functions of the catalogue and of the products take them."""

    settings: Settings
    clock: Clock
    database: Database
    queue: Queue
    blobs: Blobs
    workbench: Workbench
    times: RequestTimes = field(default_factory=RequestTimes)

    def close(self) -> None:
        """End the processes and close the connections."""
        self.workbench.close()
        self.queue.close()
        self.database.close()


def make_parts(settings: Settings, clock: Clock | None = None) -> Parts:
    """Open everything that the settings name, make the folders, bring the tables up to date."""
    for folder in (settings.temporary, settings.processed_images):
        folder.mkdir(parents=True, exist_ok=True)
    database = Database.open(settings.database_url)
    database.migrate()
    return Parts(
        settings,
        clock or Clock(),
        database,
        open_queue(settings),
        _open_blobs(settings),
        Workbench(
            settings.workers, seconds=settings.image_seconds, memory=settings.memory_of_an_image
        ),
    )


def _open_blobs(settings: Settings) -> Blobs:
    store = open_store(settings.storage_path)
    if settings.durable and isinstance(store, FolderStore):
        return Blobs(store, lasting=FolderStore(store.root, durable=True))
    return Blobs(store)
