# Folders, files, threads, sub-processes and sockets as Python asks for them.
import os
import select
import socket
import subprocess
import tempfile
import threading

here = os.path.dirname(os.path.abspath(__file__))
for base, folders, files in os.walk(here):
    for name in files:
        os.stat(os.path.join(base, name))

with tempfile.TemporaryDirectory() as folder:
    path = os.path.join(folder, "a file")
    with open(path, "w") as file:
        file.write("text " * 1000)
    os.rename(path, path + ".new")
    print(len(open(path + ".new").read()))
    print(os.listdir(folder))

print(subprocess.run(["echo", "from a child"], capture_output=True).stdout)
print(subprocess.run("exit 3", shell=True).returncode)

results = []
threads = [threading.Thread(target=lambda: results.append(sum(range(10000)))) for _ in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()

server = socket.create_server(("127.0.0.1", 0))
client = socket.create_connection(server.getsockname())
peer, address = server.accept()
client.sendall(b"hello over loopback")
select.select([peer], [], [], 1)
print(peer.recv(100))
try:
    socket.create_connection(("127.0.0.1", 1))
except OSError as error:
    print(error)
