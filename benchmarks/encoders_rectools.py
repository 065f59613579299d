"""The RecTools side of encoders.py; runs in RecTools' own virtual environment, because of its pins.

PYTHON_WITH_RECTOOLS benchmarks/encoders_rectools.py interactions.csv --epochs 1
"""

import argparse
import json
import time
import warnings

import pandas as pd
from pytorch_lightning import Trainer
from rectools import Columns
from rectools.dataset import Dataset
from rectools.models import SASRecModel
from rectools.models.nn.item_net import IdEmbeddingsItemNet

warnings.simplefilter("ignore")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("interactions")
    parser.add_argument("--epochs", type=int, default=1)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()

    import torch

    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    frame = pd.read_csv(options.interactions).rename(
        columns={"user_id": Columns.User, "item_id": Columns.Item, "timestamp": Columns.Datetime}
    )
    frame[Columns.Datetime] = pd.to_datetime(frame[Columns.Datetime], unit="us")
    frame[Columns.Weight] = 1.0
    dataset = Dataset.construct(frame)
    seconds: list[float] = []

    def trainer() -> Trainer:
        from pytorch_lightning.callbacks import Callback

        class Clock(Callback):
            def on_train_epoch_start(self, *_: object) -> None:
                self.started = time.perf_counter()

            def on_train_epoch_end(self, *_: object) -> None:
                seconds.append(time.perf_counter() - self.started)

        return Trainer(
            max_epochs=options.epochs,
            accelerator="cpu",
            logger=False,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
            callbacks=[Clock()],
        )

    model = SASRecModel(
        n_blocks=2,
        n_heads=1,
        n_factors=64,
        session_max_len=200,
        batch_size=128,
        loss="softmax",
        dropout_rate=0.2,
        lr=1e-3,
        item_net_block_types=(IdEmbeddingsItemNet,),
        get_trainer_func=trainer,
        recommend_torch_device="cpu",
        dataloader_num_workers=0,
    )
    model.fit(dataset)
    users = frame[Columns.User].unique()
    started = time.perf_counter()
    lists = model.recommend(users=users, dataset=dataset, k=10, filter_viewed=True)
    recommend_s = time.perf_counter() - started
    print(json.dumps({"epoch_s": seconds, "recommend_s": recommend_s, "n_users": len(users), "n_rows": len(lists)}))


if __name__ == "__main__":
    main()
