"""Reads public events, and goes on where it stopped: python3 read_events.py NAME, with TINK_SERVER=http://127.0.0.1:42114 and
TINK_AUTH_USERNAME and TINK_AUTH_PASSWORD as they stand in .tinkerbell/cli.json"""
import base64, json, os, sys, urllib.request

base = os.environ.get("TINK_SERVER", "http://127.0.0.1:42114") + "/api/subscriptions/" + sys.argv[1]
login = os.environ.get("TINK_AUTH_USERNAME", "") + ":" + os.environ.get("TINK_AUTH_PASSWORD", "")
headers = {"Content-Type": "application/json", "Authorization": "Basic " + base64.b64encode(login.encode()).decode()}

def call(method, path, body):
    data = json.dumps(body).encode()
    request = urllib.request.Request(base + path, data, headers, method=method)
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.loads(answer.read() or "null")

call("PUT", "", {"filters": ["workflow.*", "template.*"], "start": "first"})  # does nothing when it is there
done = None
while True:
    # Waits up to 20 seconds. "ack": that event and all before it are done.
    events = call("POST", "/next", {"max": 100, "ack": done} if done else {"max": 100}) or []
    for event in events:
        print(event["type"], event["subject"], json.dumps(event["data"]), flush=True)
        done = event["id"]
