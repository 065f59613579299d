from hypothesis import given
from hypothesis import strategies as st

from whyrec.llm.local.prefixes import PrefixGroup, prefix_groups, shared_length

TOKENS = st.lists(st.integers(0, 1), min_size=1, max_size=8)


@given(st.lists(TOKENS, max_size=12), st.integers(1, 4))
def test_groups_divide_the_prompts_and_their_members_begin_alike(prompts: list[list[int]], shortest: int) -> None:
    groups = prefix_groups(prompts, shortest=shortest)
    assert sorted(member for group in groups for member in group.members) == list(range(len(prompts)))
    for group in groups:
        if group.length:
            assert group.length >= shortest
            assert len(group.members) > 1
            assert len({tuple(prompts[member][: group.length]) for member in group.members}) == 1
            # The last token of a prompt is left to be asked.
            assert all(len(prompts[member]) > group.length for member in group.members)
    assert sum(group.length == 0 for group in groups) <= 1


@given(st.lists(TOKENS, min_size=2, max_size=12), st.integers(1, 4))
def test_grouping_saves_no_less_than_one_group_of_all(prompts: list[list[int]], shortest: int) -> None:
    common = min(len(prompt) for prompt in prompts) - 1
    for prompt in prompts:
        common = min(common, shared_length(prompts[0], prompt))
    in_one = (len(prompts) - 1) * common if common >= shortest else 0
    saved = sum((len(group.members) - 1) * group.length for group in prefix_groups(prompts, shortest=shortest))
    assert saved >= in_one


@given(TOKENS, TOKENS)
def test_shared_length_is_that_of_a_loop(first: list[int], second: list[int]) -> None:
    length = 0
    while length < min(len(first), len(second)) and first[length] == second[length]:
        length += 1
    assert shared_length(first, second) == length


def test_a_longer_beginning_that_few_share_is_worth_a_group_of_its_own() -> None:
    instruction, story = [1] * 10, [2] * 40
    prompts = [[*instruction, n] for n in range(3, 8)] + [[*instruction, *story, n] for n in (8, 9)] + [[3, 3]]
    # In one group the two long ones would save 10 tokens each; on their own they save 50.
    found = {(group.length, frozenset(group.members)) for group in prefix_groups(prompts, shortest=5)}
    assert found == {(50, frozenset({5, 6})), (10, frozenset({0, 1, 2, 3, 4})), (0, frozenset({7}))}


def test_samples_of_one_prompt_share_all_but_its_last_token() -> None:
    assert prefix_groups([[5, 6, 7, 8]] * 3, shortest=3) == [PrefixGroup(3, (0, 1, 2))]
    assert prefix_groups([[5, 6, 7, 8]] * 3, shortest=4) == [PrefixGroup(0, (0, 1, 2))]
    assert prefix_groups([], shortest=1) == []


def test_prompts_that_grow_by_a_token_each_need_no_deep_recursion() -> None:
    prompts = [[1] * n for n in range(1, 3000)]
    groups = prefix_groups(prompts, shortest=32)
    assert sorted(member for group in groups for member in group.members) == list(range(len(prompts)))
