"""1,000 TLS servers in one `served`: nginx on the same cores, a certificate of its own behind an intermediate for each kind of key."""
import os
import subprocess
import time

from bench import LAB, World, mb, median, quiet, s, table

SERVERS, ROUNDS, ADDRESS, PORT = 1000, 5, "192.0.2.80", 8443


def certificate(folder, kind):
    pki = os.path.join(folder, "pki-" + kind)
    quiet(os.path.join(LAB, "pki"), "make", pki, kind)
    how = ["rsa:2048"] if kind == "rsa" else ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    quiet("openssl", "req", "-new", "-newkey", *how, "-nodes", "-keyout", f"{pki}/www.key", "-subj", "/CN=x", "-out", f"{pki}/www.csr")
    quiet(os.path.join(LAB, "pki"), "issue", pki, f"{pki}/www.csr", f"{pki}/www.pem", "90", "www.example.hk")
    with open(f"{pki}/full.pem", "w", encoding="ascii") as full:
        for part in ("www.pem", "new.pem"):
            with open(f"{pki}/{part}", encoding="ascii") as f:
                full.write(f.read())
    return pki


def nginx(folder, pki):
    temp = "".join(f"{d}_temp_path {folder}/{d};" for d in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    conf = f"{pki}/nginx.conf"
    with open(conf, "w", encoding="ascii") as f:
        f.write(f"daemon off; pid {folder}/pid; error_log {folder}/error.log; worker_processes 1; events {{ worker_connections 4096; }}\n"
                f"http {{ access_log off; {temp} server {{ listen {ADDRESS}:{PORT} ssl; ssl_certificate {pki}/full.pem; "
                f"ssl_certificate_key {pki}/www.key; }} }}\n")
    return subprocess.Popen(["/usr/sbin/nginx", "-c", conf], stderr=subprocess.DEVNULL)  # pylint: disable=consider-using-with


def asked(world, sample=False):
    cost = world.run("served", *[f"www.example.hk:{PORT}#{ADDRESS}"] * SERVERS, "--offline", sample=sample)
    if cost.out.count("\nok ") + cost.out.startswith("ok ") != SERVERS:
        raise SystemExit(f"bench: not all {SERVERS} servers are well:\n{cost.out[:2000]}")
    return cost


def measure():
    rows = []
    for kind in ("p256", "rsa"):
        world = World("served-" + kind, "")
        pki = certificate(world.dir, kind)
        with open(world.conf, "a", encoding="utf-8") as f:
            f.write(f"[ca private]\ntype = manual\nchain_files = {pki}/root.pem\n")
        server = nginx(world.dir, pki)
        try:
            time.sleep(1)
            costs = [asked(world) for _ in range(ROUNDS)]
            private = asked(world, sample=True).private
        finally:
            server.terminate()
            server.wait()
        rows.append([f"{SERVERS} servers, {kind}", s(median(c.wall for c in costs)), s(median(c.cpu for c in costs)),
                     mb(max(c.rss for c in costs)), mb(private)])
    table(f"{SERVERS} TLS servers (one nginx on the same cores), medians of {ROUNDS}", ["served --offline", "wall", "CPU", "RSS", "private"], rows)
