"""What ops decide counts over what a plugin says of itself."""

import math

import pytest

from toru.domain.ids import PluginId
from toru.domain.manifest import Manifest, Sandbox
from toru.domain.policy import DEFAULT_LIMITS, GatewayPolicy, PluginOverride, Policy, RequestLimits, RestartPolicy
from toru.domain.quantities import Limits


def asks(*, sandbox: Sandbox = Sandbox.DEFAULT, limits: Limits = Limits()) -> Manifest:
    return Manifest(id=PluginId("x"), name="X", route="/x", sandbox=sandbox, limits=limits)


def decides(*, sandbox: Sandbox | None = None, limits: Limits = Limits(), plugin: str = "x") -> Policy:
    return Policy(overrides={plugin: PluginOverride(sandbox=sandbox, limits=limits)})


@pytest.mark.req("META-4", "SEC-4")
@pytest.mark.parametrize(
    ("asked", "decided", "granted"),
    [
        (Sandbox.DEFAULT, None, Sandbox.DEFAULT),
        (Sandbox.STRICT, None, Sandbox.STRICT),
        (Sandbox.TRUSTED, None, Sandbox.DEFAULT),
        (Sandbox.DEFAULT, Sandbox.TRUSTED, Sandbox.TRUSTED),
        (Sandbox.TRUSTED, Sandbox.TRUSTED, Sandbox.TRUSTED),
        (Sandbox.STRICT, Sandbox.TRUSTED, Sandbox.TRUSTED),
        (Sandbox.STRICT, Sandbox.DEFAULT, Sandbox.DEFAULT),
        (Sandbox.TRUSTED, Sandbox.DEFAULT, Sandbox.DEFAULT),
        (Sandbox.TRUSTED, Sandbox.STRICT, Sandbox.STRICT),
        (Sandbox.DEFAULT, Sandbox.STRICT, Sandbox.STRICT),
    ],
)
def test_strict_is_granted_to_whoever_asks_and_trusted_only_by_ops(
    asked: Sandbox, decided: Sandbox | None, granted: Sandbox
) -> None:
    assert decides(sandbox=decided).sandbox_for(asks(sandbox=asked)) is granted


@pytest.mark.req("META-4", "SUP-7")
@pytest.mark.parametrize(
    ("asked", "decided", "granted"),
    [
        (None, None, 256),
        (64, None, 64),
        (1000, None, 256),
        (None, 1000, 1000),
        (64, 1000, 1000),
        (64, 8, 8),
    ],
)
def test_a_manifest_only_tightens_and_ops_have_the_last_word(
    asked: int | None, decided: int | None, granted: int
) -> None:
    limits = decides(limits=Limits(tasks=decided)).limits_for(asks(limits=Limits(tasks=asked)))
    assert limits == Limits(
        memory_bytes=DEFAULT_LIMITS.memory_bytes, tasks=granted, cpu_percent=DEFAULT_LIMITS.cpu_percent
    )


@pytest.mark.req("SUP-7")
def test_a_plugin_has_limits_though_nobody_said_anything() -> None:
    limits = Policy().limits_for(asks())
    assert None not in (limits.memory_bytes, limits.tasks, limits.cpu_percent)


@pytest.mark.req("SEC-4")
def test_what_ops_decide_for_one_plugin_is_nothing_to_another() -> None:
    policy = decides(sandbox=Sandbox.TRUSTED, limits=Limits(tasks=1000), plugin="y")
    assert policy.sandbox_for(asks()) is Sandbox.DEFAULT
    assert policy.limits_for(asks()) == DEFAULT_LIMITS


@pytest.mark.req("SUP-2")
def test_the_wait_doubles_from_one_second_to_sixteen() -> None:
    policy = RestartPolicy()
    assert [policy.delay_before_restart(nth) for nth in range(1, 10)] == [1, 2, 4, 8, 16, 16, 16, 16, 16]
    assert policy.delay_before_restart(1_000_000) == 16


@pytest.mark.req("SUP-2")
@pytest.mark.parametrize(
    ("first", "longest", "steps"), [(1, 16, 4), (1, 2, 1), (1, 1, 1), (0.1, 1.6, 4), (2, 64, 5), (0.001, 86_400, 26)]
)
def test_systemd_is_told_as_many_steps_as_there_are_doublings(first: float, longest: float, steps: int) -> None:
    assert RestartPolicy(first_delay=first, max_delay=longest).steps == steps


@pytest.mark.req("SUP-2")
def test_systemd_254_reckons_the_same_delays_from_what_it_is_told() -> None:
    policy = RestartPolicy()

    def systemd_waits(nth: int) -> float:  # systemd.service(5), RestartSteps=: in equal ratios up to the longest
        ratio = policy.max_delay / policy.first_delay
        return min(policy.max_delay, policy.first_delay * math.pow(ratio, (nth - 1) / policy.steps))

    for nth in range(1, 11):
        assert systemd_waits(nth) == pytest.approx(policy.delay_before_restart(nth))


@pytest.mark.req("SUP-3", "SUP-4")
def test_ten_failures_in_a_row_are_too_many_and_a_minute_of_health_is_enough() -> None:
    assert (RestartPolicy().failures, RestartPolicy().stable_after) == (10, 60)


@pytest.mark.req("META-4")
@pytest.mark.parametrize(
    ("asked", "decided", "granted"),
    [(None, None, 30), (5, None, 5), (60, None, 30), (None, 60, 60), (5, 60, 60), (5, 1, 1)],
)
def test_so_it_is_with_the_gateways_limits(asked: float | None, decided: float | None, granted: float) -> None:
    manifest = Manifest(id=PluginId("x"), name="X", route="/x", timeout=asked, max_body=5)
    override = PluginOverride(requests=RequestLimits(timeout=decided))
    limits = Policy(overrides={"x": override}).requests_for(manifest)
    assert limits == GatewayPolicy(timeout=granted, max_body=5)
