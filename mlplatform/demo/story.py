"""The plot of the demonstration: eleven steps, each through the public REST API."""

from contextlib import closing
from dataclasses import dataclass
from http import HTTPStatus

from mlplatform.demo.client import Api, DemoFailed
from mlplatform.demo.data import breast_cancer, diabetes, older, recalibrated, wine
from mlplatform.demo.lifecycle import JOB_SECONDS, ModelLife
from mlplatform.demo.report import Report

SINGLE_REQUESTS = 10
LOG_DAYS = 7  # what is played here is soon of no interest
SETTLED = frozenset({"promoted", "proposed", "kept", "failed", "declined"})


@dataclass(frozen=True)
class Keys:
    """One API key for each of the two tenants."""

    clinic: str
    winery: str


CLASSIFIERS = ("logistic_regression", "random_forest", "hist_gradient_boosting")


def tell(url: str, keys: Keys, report: Report) -> None:
    """Play the whole life of three models at ``url``; raises DemoFailed at the first wrong answer."""
    with closing(Api(url, keys.clinic)) as clinic, closing(Api(url, keys.winery)) as winery:
        diagnosis = ModelLife(
            clinic, report, "tumour-diagnosis", "classification", breast_cancer(), CLASSIFIERS, "f1"
        )
        cultivar = ModelLife(
            winery, report, "cultivar", "classification", wine(), (*CLASSIFIERS[:2], "knn"), "f1"
        )
        progression = ModelLife(
            clinic,
            report,
            "diabetes-progression",
            "regression",
            diabetes(),
            ("ridge", *CLASSIFIERS[1:]),
            "r2",
        )
        lives = [diagnosis, cultivar, progression]
        for tenant in (clinic, winery):
            tenant.put("/retention", {"rules": {"predictions": {"days": LOG_DAYS}}})
        _build(lives, report)
        _serve(lives, report)
        _drift(diagnosis, progression, report)
        _retrain(diagnosis, report)
        _roll_back(diagnosis, report)
        _knock_at_the_wall(diagnosis, winery, report)


def _build(lives: list[ModelLife], report: Report) -> None:
    with report.step("Import the data as frozen, hashed datasets"):
        datasets = [life.import_data() for life in lives]
    with report.step("Train three algorithms each, with 5-fold cross-validation"):
        jobs = [life.start_training(dataset) for life, dataset in zip(lives, datasets, strict=True)]
        versions = [life.finish_training(job) for life, job in zip(lives, jobs, strict=True)]
    with report.step("Promote the best of each to champion, through the gates"):
        for life, version in zip(lives, versions, strict=True):
            life.promote(version, "Best of the leaderboard")
            life.schedule_retraining()


def _serve(lives: list[ModelLife], report: Report) -> None:
    asked = {}
    with report.step("Predict rows that no training has seen, single and in bulk"):
        for life in lives:
            head, tail = life.data.usual[:SINGLE_REQUESTS], life.data.usual[SINGLE_REQUESTS:]
            asked[life.name] = life.predict(head, single=True) + life.predict(tail)
    with report.step("Send the true outcomes as feedback"):
        for life in lives:
            life.send_outcomes(asked[life.name], life.data.usual)
    with report.step("Show the realized quality"):
        for life in lives:
            life.show_performance()
            life.check()


def _drift(life: ModelLife, supervised: ModelLife, report: Report) -> None:
    with report.step("The clinic buys a new scanner: send shifted inputs, run the checks"):
        shifted = recalibrated(life.data, life.data.later)
        life.send_outcomes(life.predict(shifted), shifted)
        life.show_performance()
        checks = life.check()
        drift = life.api.get(f"{life.path}/drift")
        rows = [
            (row["feature"], f"{row['score']:.2f}", f"{row['threshold']:.2f}") for row in drift["results"][:5]
        ]
        report.line(f"drift in {drift['drifted_features']} of {drift['features']} features; the worst:")
        report.table(("feature", "PSI", "threshold"), rows)
        if not checks["alerts_raised"]:
            raise DemoFailed("The shifted inputs raised no alert.")
        # Where people want to decide themselves, the alert waits for them.
        supervised.api.put(f"{supervised.path}/policy", {"enabled": False})
        supervised.predict(older(supervised.data.later))
        supervised.check()


def _retrain(life: ModelLife, report: Report) -> None:
    with report.step("The retraining policy starts a job because of it"):
        decision = life.api.get("/decisions", model=life.name)["results"][0]
        if not decision["job"]:
            raise DemoFailed(f"The policy did not retrain: {decision['reason']}")
        report.line(decision["reason"])
        job = life.wait_for_job(decision["job"])
        report.line(
            f"job {job['id']} made version {job['version']} from {life.data.name} and the new outcomes"
        )
    with report.step("The new version passes its gates and is promoted"):
        settled = life.api.wait(
            f"/decisions/{decision['id']}",
            lambda body: body["state"] in SETTLED,
            seconds=JOB_SECONDS,
            what="the decision about the new version",
        )
        report.line(settled["outcome"])
        if settled["state"] != "promoted":
            raise DemoFailed(f"The retrained version was not promoted: {settled['state']}")
        newest = life.api.get(f"{life.path}/deployments")["results"][0]
        for gate in newest["gates"]:
            report.line(f"[green]passed[/] {gate['title']}: {gate['detail']}")


def _roll_back(life: ModelLife, report: Report) -> None:
    with report.step("Roll back, go forward again, and show the deployment history"):
        newest = life.api.get(f"{life.path}/deployments")["results"][0]["version"]
        life.api.post(f"{life.path}/rollback", {"reason": "Demonstrates the way back"})
        life.promote(newest, "The new one is better after all")
        fresh = recalibrated(life.data, life.data.latest)
        life.send_outcomes(life.predict(fresh), fresh)
        life.show_performance()
        life.check()
        history = life.api.get(f"{life.path}/deployments")["results"]
        rows = [
            (
                row["action"],
                f"v{row['previous'] or '-'} → v{row['version']}",
                f"{row['actor_kind']} {row['actor_label']}",
                row["reason"],
            )
            for row in history
        ]
        report.table(("change", "from", "to", "by", "why"), rows)


def _knock_at_the_wall(life: ModelLife, stranger: Api, report: Report) -> None:
    with report.step("Try to read the clinic's model with the winery's key"):
        seen = life.api.get("/predictions", model=life.name, limit=1)["results"][0]["id"]
        for path in (life.path, f"/predictions/{seen}", f"{life.path}/deployments"):
            status, body = stranger.status_of(path)
            if status != HTTPStatus.NOT_FOUND:
                raise DemoFailed(f"{path} was answered {status} to another tenant's key.")
            report.line(f"GET {path}: [green]{status}[/] {body['detail']}")
