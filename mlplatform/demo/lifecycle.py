"""What a customer's program does with one model, step by step, over the REST API."""

from dataclasses import dataclass
from typing import Any

import pandas as pd

from mlplatform.demo.client import Api, DemoFailed
from mlplatform.demo.data import DemoData
from mlplatform.demo.report import Report

JOB_SECONDS = 120.0
FINAL_STATES = frozenset({"succeeded", "failed", "errored", "cancelled"})


@dataclass
class ModelLife:
    """One model of one tenant: its data, and the calls that move it along."""

    api: Api
    report: Report
    name: str
    problem_type: str
    data: DemoData
    algorithms: tuple[str, ...]
    metric: str

    @property
    def path(self) -> str:
        """The model's address."""
        return f"/models/{self.name}"

    def import_data(self) -> int:
        """Freeze the training rows as a Dataset and register the model; return the dataset's id."""
        dataset = self.api.upload("/datasets", name=self.data.name, content=self.data.csv)
        self.report.line(
            f"{dataset['name']}: {dataset['rows']} rows x {len(dataset['columns'])} columns, "
            f"SHA-256 {dataset['content_hash'][:16]}…"
        )
        purpose = {"name": self.name, "problem_type": self.problem_type, "target": self.data.target}
        self.api.post("/models", {**purpose, "description": f"Demonstration on the {self.data.name} data."})
        return int(dataset["id"])

    def start_training(self, dataset: int) -> int:
        """Submit a job for all algorithms with five folds; return its id."""
        algorithms = [{"key": key} for key in self.algorithms]
        job = self.api.post(
            "/jobs", {"model": self.name, "dataset": dataset, "algorithms": algorithms, "folds": 5}
        )
        return int(job["id"])

    def finish_training(self, job_id: int) -> int:
        """Wait for the job, show its leaderboard, and return the new version's number."""
        job = self.wait_for_job(job_id)
        rows = [
            (
                row["rank"],
                row["algorithm"],
                f"{row['mean']:.4f}",
                f"{row['std']:.4f}",
                f"{row['fit_seconds']:.2f} s",
            )
            for row in job["leaderboard"]
        ]
        self.report.table(("rank", "algorithm", f"{self.metric}, 5 folds", "std", "fit"), rows)
        return int(job["version"])

    def wait_for_job(self, job_id: int) -> dict[str, Any]:
        """Wait until the job ends; raises DemoFailed where it did not succeed."""
        job: dict[str, Any] = self.api.wait(
            f"/jobs/{job_id}",
            lambda body: body["state"] in FINAL_STATES,
            seconds=JOB_SECONDS,
            what=f"job {job_id} of {self.name}",
        )
        if job["state"] != "succeeded":
            raise DemoFailed(f"Job {job_id} {job['state']}: {job['error']}")
        return job

    def promote(self, version: int, reason: str) -> None:
        """Make the version champion."""
        deployment = self.api.post(f"{self.path}/promote", {"version": version, "reason": reason})
        passed = sum(gate["passed"] for gate in deployment["gates"])
        record = self.api.get(f"{self.path}/versions/{version}")
        self.report.line(
            f"{self.name} v{version} ({record['algorithm']}) is champion: "
            f"{passed} of {len(deployment['gates'])} gates passed, "
            f"hold-out {self.metric} {record['metrics'][self.metric]:.4f}"
        )

    def schedule_retraining(self) -> None:
        """Let the model be trained anew every Monday night."""
        times = {"kind": "cron", "cron": "0 3 * * 1", "timezone": "Europe/Berlin"}
        schedule = self.api.post("/schedules", {"name": f"{self.name}-weekly", "model": self.name, **times})
        self.report.line(f"{self.name} retrains on Mondays, next at {schedule['next_runs'][0]}")

    def predict(self, rows: pd.DataFrame, *, single: bool = False) -> list[str]:
        """Ask for predictions, one request in all or one for each row; return their ids."""
        inputs = self.data.inputs(rows)
        requests = [{"row": row} for row in inputs] if single else [{"rows": inputs}]
        answers = [self.api.post(f"{self.path}/predict", request) for request in requests]
        took = sum(answer["latency_ms"] for answer in answers) / len(answers)
        kind = f"{len(requests)} single requests" if single else f"1 request of {len(inputs)} rows"
        self.report.line(f"{self.name}: {kind}, {took:.0f} ms each, by v{answers[0]['version']}")
        return [prediction["id"] for answer in answers for prediction in answer["predictions"]]

    def send_outcomes(self, predictions: list[str], rows: pd.DataFrame) -> None:
        """Send what really happened for each prediction."""
        truth = rows[self.data.target].tolist()
        outcomes = [
            {"prediction": prediction, "value": value}
            for prediction, value in zip(predictions, truth, strict=True)
        ]
        result = self.api.post("/outcomes", {"outcomes": outcomes})
        self.report.line(f"{self.name}: {result['accepted']} outcomes accepted")

    def check(self) -> dict[str, Any]:
        """Run the checks now and show what they found and decided."""
        found: dict[str, Any] = self.api.post(f"{self.path}/checks")
        self.report.line(f"{self.name}: {' '.join(found['notes'])}")
        for alert in found["alerts_raised"]:
            self.report.line(f"[red]{alert['severity']}[/] alert: {alert['title']}")
        if found["decision"]:
            self.report.line(f"policy: {found['decision']['state']}; {found['decision']['reason']}")
        return found

    def show_performance(self) -> None:
        """Show the realized quality of the champion over everything answered so far."""
        found = self.api.get(f"{self.path}/performance")
        figures = ", ".join(f"{name} {value:.4f}" for name, value in list(found["metrics"].items())[:4])
        self.report.line(f"{self.name}: {found['labelled']} outcomes known; {figures}")
