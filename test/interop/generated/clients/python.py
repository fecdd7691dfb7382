"""Runs a job to its end with the Python client of OpenAPI Generator: python.py ORIGIN FOLDER."""
import json
import sys

sys.path.insert(0, sys.argv[2])
import coatcheck_client  # noqa: E402
from coatcheck_client.api import jobs_api, submit_api  # noqa: E402

configuration = coatcheck_client.Configuration(host=sys.argv[1])
# The service is open. With keys, this is one.
configuration.access_token = "unused"

with coatcheck_client.ApiClient(configuration) as client:
    submit, jobs = submit_api.SubmitApi(client), jobs_api.JobsApi(client)
    sleep = coatcheck_client.SleepInput(seconds=0.2, steps=2)
    job, code, _ = submit.submit_sleep_with_http_info(sleep, coatcheck_tags=["generated"])
    status = jobs.get_operation(job["id"])
    while status.status in ("pending", "running"):
        status = jobs.get_operation(job["id"], prefer="wait=5")
    result = jobs.get_job_result(job["id"])
    try:
        jobs.retry_job(job["id"])
        refusal = None
    except coatcheck_client.ApiException as error:
        refusal = json.loads(error.body)["code"]
    print(json.dumps([code, status.status, status.tags, result, refusal]))
