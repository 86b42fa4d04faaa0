"""kill -9 of a load of value sets at random moments, while a gateway serves: all lists are those of one load."""

import random
import signal
import subprocess
import sys
import time

import pytest

from tests.unit.value_sets import SENT, codes_xml
from tests.wire.commands import PROGRAM, environment, run
from tests.wire.messages import register, registrable, send
from tests.wire.test_value_sets import audited, vocabulary, written
from xds_gateway.model.value_sets import ListedCode

from .test_kill import KILLS

ATTRIBUTES = ("typeCode", "classCode", "formatCode", "eventCodeList")
CODES = 4_000  # of each attribute


def test_a_load_survives_kill_9_whole_or_not_at_all(start_gateway):
    chance = random.Random(5)
    gateway = start_gateway(workers=2)
    files = {}
    for name in ("one", "other"):  # both allow what is sent; their other codes tell which one is loaded
        lists = {a: (*SENT[a], *(ListedCode(f"{name}-{n}", "1.2.3") for n in range(CODES))) for a in ATTRIBUTES}
        files[name] = written(gateway, codes_xml(lists), f"{name}.xml")
    began = time.monotonic()
    data = str(gateway.data_folder)
    done = run(gateway.log.parent, "vocabulary", "load", str(files["one"]), XDS_GATEWAY_DATA_FOLDER=data)
    assert done.returncode == 0, done.stderr
    takes = time.monotonic() - began  # as a program of its own, as those that are killed
    for number in range(KILLS):
        loading = subprocess.Popen(
            [*PROGRAM, "vocabulary", "load", str(files[("other", "one")[number % 2]])],
            env=environment(XDS_GATEWAY_DATA_FOLDER=str(gateway.data_folder)),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        time.sleep(chance.uniform(0.5, 2.0) * takes)
        loading.kill()
        loading.wait()
        assert send(gateway, register(registrable())).status == "Success"
        told = vocabulary(gateway, "list")
        in_force = {
            code["code"].partition("-")[0]
            for a in ATTRIBUTES
            for code in vocabulary(gateway, "show", a)["codes"]
            if code["in_force"] and code["scheme"] == "1.2.3"
        }
        assert len(in_force) == 1
        assert {each["since"] for each in told["lists"]} == {told["version"]}
        assert all(each["codes"] == CODES + len(SENT[each["attribute"]]) for each in told["lists"])
        loads = [event for event in audited(gateway) if event["transaction"] == "vocabulary load"]
        assert len(loads) == told["version"]


#   where the load dies: the function of storage that kills it, at which call       version in force then
MOMENTS = [
    ("xds_gateway.storage.value_sets.inserted", 2, 0),  # one list and its codes are written, the second one begins
    ("xds_gateway.cli.vocabulary.output", 1, 1),  # committed, and not told yet
]
DYING = """
import os, signal
import {module} as module
from itertools import count
from xds_gateway.cli import main

calls, real = count(1), module.{name}

def die(*given):
    if next(calls) == {call}:
        os.kill(os.getpid(), signal.SIGKILL)
    return real(*given)

module.{name} = die
main({arguments})
"""


@pytest.mark.parametrize(("function", "call", "version"), MOMENTS, ids=["inside", "after the commit"])
def test_a_load_that_dies_at_a_moment_is_done_or_not(start_gateway, function, call, version):
    gateway = start_gateway(workers=2)
    file = written(gateway, codes_xml({attribute: SENT[attribute] for attribute in ATTRIBUTES}))
    module, _, name = function.rpartition(".")
    program = DYING.format(module=module, name=name, call=call, arguments=["vocabulary", "load", str(file)])
    variables = environment(XDS_GATEWAY_DATA_FOLDER=str(gateway.data_folder))
    done = subprocess.run([sys.executable, "-c", program], env=variables, check=False, capture_output=True)
    assert done.returncode == -signal.SIGKILL
    told = vocabulary(gateway, "list")
    assert (told["version"], len(told["lists"])) == (version, version * len(ATTRIBUTES))
    assert len(audited(gateway)) == version
    assert send(gateway, register(registrable())).status == "Success"
    assert vocabulary(gateway, "load", file)["version"] == 1
