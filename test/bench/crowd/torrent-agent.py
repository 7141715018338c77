"""
libtorrent as an agent: the conversation is that of talk.ts. TCP only, without DHT, local discovery and encryption, which
would only cost it time here. Options: piece (bytes), tuned, superseed.
"""
import hashlib
import json
import os
import queue
import sys
import threading
import time

import libtorrent as lt

PORT = 6881
config = json.loads(sys.argv[1])
options = config["options"]
seeder = config["role"] == "seeder"

PLACE = {
    "listen_interfaces": f"{config['address']}:{PORT}",
    "enable_dht": False,
    "enable_lsd": False,
    "enable_upnp": False,
    "enable_natpmp": False,
    "enable_incoming_utp": False,
    "enable_outgoing_utp": False,
    "in_enc_policy": lt.enc_policy.disabled,
    "out_enc_policy": lt.enc_policy.disabled,
    # Everybody knows everybody from the start, and who was not there yet is tried again at once: the others are connected.
    "connection_speed": 500,
    "torrent_connect_boost": 100,
    "min_reconnect_time": 1,
    "alert_mask": lt.alert.category_t.status_notification
    | lt.alert.category_t.error_notification
    | lt.alert.category_t.piece_progress_notification,
}
# What a crowd on a clock wants: nobody is choked for long.
TUNED = {
    "unchoke_interval": 1,
    "unchoke_slots_limit": -1,
}


def tell(event, **data):
    print(json.dumps({"event": event, **data}), flush=True)


def digest(top):
    """SHA-256 over the files in the order of their paths."""
    found = [os.path.join(at, name) for at, _, names in os.walk(top) for name in names]
    whole = hashlib.sha256()
    for path in sorted(found, key=lambda path: os.path.relpath(path, top)):
        with open(path, "rb") as file:
            whole.update(file.read())
    return whole.hexdigest()


def add(info, folder):
    wish = lt.add_torrent_params()
    wish.ti, wish.save_path = info, folder
    wish.flags &= ~(lt.torrent_flags.auto_managed | lt.torrent_flags.paused)
    wish.flags |= lt.torrent_flags.disable_dht | lt.torrent_flags.disable_lsd
    if seeder:
        wish.flags |= lt.torrent_flags.seed_mode
    if seeder and options.get("superseed"):
        wish.flags |= lt.torrent_flags.super_seeding
    return session.add_torrent(wish)


def make(source):
    files = lt.file_storage()
    lt.add_files(files, source)
    torrent = lt.create_torrent(files, options["piece"], lt.create_torrent.v1_only)
    lt.set_piece_hashes(torrent, os.path.dirname(source))
    return lt.bencode(torrent.generate())


def verified(folder, sha):
    """What was written last may still be on its way to the disk when the last piece is told."""
    for _ in range(100):
        if digest(folder) == sha:
            return True
        time.sleep(0.05)
    return False


session = lt.session({**PLACE, **(TUNED if options.get("tuned") else {})})
orders = queue.Queue()


def listen():
    for line in sys.stdin:
        orders.put(json.loads(line))
    orders.put({"do": "stop"})


threading.Thread(target=listen, daemon=True).start()

if seeder:
    data = make(config["source"])
    info = lt.torrent_info(lt.bdecode(data))
    add(info, os.path.dirname(config["source"]))
    more = {"leaves": [str(piece) for piece in range(info.num_pieces())]} if config["report"] else {}
    tell("ready", address=config["address"], torrent=data.hex(), **more)
else:
    tell("ready", address=config["address"])

handle, sha, name = None, None, None
while True:
    try:
        order = orders.get(timeout=0.01)
    except queue.Empty:
        order = {"do": None}
    if order["do"] == "meet":
        tell("met")
    elif order["do"] == "go" and not seeder:
        sha = order["proof"]
        info = lt.torrent_info(lt.bdecode(bytes.fromhex(order["seeder"]["torrent"])))
        name = info.name()
        handle = add(info, config["dir"])
        for other in order["everyone"]:
            if other["address"] != config["address"]:
                handle.connect_peer((other["address"], PORT))
    elif order["do"] == "stop":
        os._exit(0)
    for alert in session.pop_alerts():
        if isinstance(alert, lt.piece_finished_alert) and config["report"] and not seeder:
            tell("have", leaf=str(alert.piece_index))
        elif isinstance(alert, lt.torrent_finished_alert) and handle and sha:
            at = time.time()
            handle.flush_cache()
            tell("done", at=at, ok=verified(os.path.join(config["dir"], name), sha))
            sha = None
        elif isinstance(alert, (lt.torrent_error_alert, lt.listen_failed_alert, lt.file_error_alert)):
            tell("failed", message=str(alert))
