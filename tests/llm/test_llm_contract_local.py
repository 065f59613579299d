import json
import shutil
from pathlib import Path

import pytest

from contracts.language_model import LanguageModelContract
from whyrec.llm.local import LocalBackend, LocalSettings


class TestLocalChat(LanguageModelContract):
    template = "model"

    @pytest.fixture(autouse=True)
    def _open(self, tiny_model_dir: Path, tmp_path: Path) -> None:
        self.settings = LocalSettings(template=self.template)
        self.opened = LocalBackend.open(str(tiny_model_dir), settings=self.settings)
        self.cramped = tmp_path / "cramped"
        shutil.copytree(tiny_model_dir, self.cramped)
        config = json.loads((self.cramped / "config.json").read_text())
        (self.cramped / "config.json").write_text(json.dumps(config | {"max_position_embeddings": 60}))

    def backend(self) -> LocalBackend:
        return self.opened

    def cramped_backend(self) -> LocalBackend:
        return LocalBackend.open(str(self.cramped), settings=self.settings)


class TestLocalRawText(TestLocalChat):
    template = "plain"
