"""Sends requests to AWS by boto3: a line of standard input is one, a line of standard output its answer.

Region, keys and profile are those that boto3 finds. A request is {"service", "operation", "parameters"}, and "once" if it
must not be sent twice; beside the operations of boto3 there is `upload_file`. An answer is {"answer"} or {"failure"}.
"""

import datetime
import json
import os
import re
import sys


def main():
    try:
        import boto3
        import botocore.exceptions as failures
    except ImportError as missing:
        print(json.dumps({"missing": str(missing)}), flush=True)
        return
    print(json.dumps({"version": "boto3 " + boto3.__version__}), flush=True)
    clients = {}
    for line in sys.stdin:
        request = json.loads(line)
        try:
            answer = {"answer": send(clients, request)}
        except failures.ClientError as error:
            about = error.response.get("Error", {})
            status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
            answer = told("answered", about.get("Code"), about.get("Message"), status)
        except (failures.HTTPClientError, failures.ConnectionError) as error:
            answer = told("unclear", None, str(error), None)
        except (failures.BotoCoreError, OSError) as error:
            # Without keys, without a region, or not a request at all: it was not sent.
            answer = told("refused", type(error).__name__, str(error), None)
        except Exception as error:  # an answer that is none, among others
            answer = told("unclear", type(error).__name__, str(error), None)
        print(json.dumps(answer, default=plain), flush=True)


def told(kind, code, message, status):
    return {"failure": {"kind": kind, "code": code, "message": message, "status": status}}


def send(clients, request):
    import boto3
    from botocore.config import Config

    is_once = request.get("once", False)
    which = (request["service"], is_once)
    if which not in clients:
        # What was sent and not answered may be done: it is for the caller to look.
        config = Config(retries={"total_max_attempts": 1}) if is_once else None
        # boto3 itself only knows the older name of the variable.
        region = os.environ.get("AWS_REGION") or None
        clients[which] = boto3.client(request["service"], region_name=region, config=config)
    client, operation = clients[which], request["operation"]
    parameters = request["parameters"]
    if operation == "UploadFile":
        client.upload_file(parameters["Filename"], parameters["Bucket"], parameters["Key"])
        return {}
    name = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", operation).lower()
    if client.can_paginate(name):
        return client.get_paginator(name).paginate(**parameters).build_full_result()
    answer = getattr(client, name)(**parameters)
    if operation == "GetObject":
        return {"Body": answer["Body"].read(16 << 20).decode("utf-8", "replace")}
    answer.pop("ResponseMetadata", None)
    return answer


def plain(value):
    return value.timestamp() if isinstance(value, datetime.datetime) else str(value)


main()
