//! In which order flows are turned on: a flow that calls another one turns on only after it.

use std::collections::{BTreeSet, HashMap};

use uuid::Uuid;

use super::{EnvironmentError, Flow};

/// Sorts `flows` so that the flows that one calls come before it. `manual` gives places by hand:
/// flows with a number come in its order, before those without one as far as the calls allow; among
/// each other the numbers win even against the calls. Flows with neither are sorted by name.
///
/// A flow that calls itself is no circle. Calls to flows that are not in `flows` do not count.
///
/// # Errors
/// [`EnvironmentError::FlowCycle`] names the flows of a circle.
pub fn flow_order(
    flows: &[Flow],
    manual: &HashMap<Uuid, f64>,
) -> Result<Vec<Flow>, EnvironmentError> {
    let index: HashMap<Uuid, usize> = flows.iter().enumerate().map(|(i, f)| (f.id, i)).collect();
    let number = |i: usize| manual.get(&flows[i].id).copied();
    let before = requirements(flows, &index, &number);

    // The smallest first among those whose requirements are met: by number, then by name.
    let mut ranking: Vec<usize> = (0..flows.len()).collect();
    ranking.sort_by(|&a, &b| {
        let key = |i: usize| number(i).unwrap_or(f64::INFINITY);
        key(a)
            .total_cmp(&key(b))
            .then_with(|| (&flows[a].name, flows[a].id).cmp(&(&flows[b].name, flows[b].id)))
    });
    let mut placed = vec![false; flows.len()];
    let mut order = Vec::with_capacity(flows.len());
    while order.len() < flows.len() {
        let ready = |i: usize| !placed[i] && before[i].iter().all(|&required| placed[required]);
        // What the next numbered flow waits for goes before unrelated flows.
        let wanted = ranking
            .iter()
            .copied()
            .filter(|&i| !placed[i])
            .find_map(|i| first_ready(i, &before, &placed, &ready, &ranking));
        let Some(next) = wanted else {
            return Err(EnvironmentError::FlowCycle {
                flows: cycle(flows, &before, &placed),
            });
        };
        placed[next] = true;
        order.push(flows[next].clone());
    }
    Ok(order)
}

/// For each flow, the flows that must come before it.
fn requirements(
    flows: &[Flow],
    index: &HashMap<Uuid, usize>,
    number: &impl Fn(usize) -> Option<f64>,
) -> Vec<BTreeSet<usize>> {
    let mut before: Vec<BTreeSet<usize>> = vec![BTreeSet::new(); flows.len()];
    for (caller, flow) in flows.iter().enumerate() {
        for called in flow.calls.iter().filter_map(|id| index.get(id)).copied() {
            let by_hand = number(caller).is_some() && number(called).is_some();
            if called != caller && !by_hand {
                before[caller].insert(called);
            }
        }
    }
    let mut numbered: Vec<usize> = (0..flows.len()).filter(|&i| number(i).is_some()).collect();
    numbered.sort_by(|&a, &b| {
        let key = |i: usize| number(i).unwrap_or_default();
        key(a)
            .total_cmp(&key(b))
            .then_with(|| flows[a].name.cmp(&flows[b].name))
    });
    for pair in numbered.windows(2) {
        // Equal numbers leave the calls to decide.
        if number(pair[0]) < number(pair[1]) {
            before[pair[1]].insert(pair[0]);
        } else if flows[pair[0]].calls.contains(&flows[pair[1]].id) {
            before[pair[0]].insert(pair[1]);
        } else if flows[pair[1]].calls.contains(&flows[pair[0]].id) {
            before[pair[1]].insert(pair[0]);
        }
    }
    before
}

/// `i` itself if it is ready, or else a ready flow among those that it waits for, however far.
fn first_ready(
    i: usize,
    before: &[BTreeSet<usize>],
    placed: &[bool],
    ready: &impl Fn(usize) -> bool,
    ranking: &[usize],
) -> Option<usize> {
    let mut waited_for = vec![false; before.len()];
    let mut open = vec![i];
    while let Some(at) = open.pop() {
        if !waited_for[at] && !placed[at] {
            waited_for[at] = true;
            open.extend(&before[at]);
        }
    }
    ranking
        .iter()
        .copied()
        .find(|&at| waited_for[at] && ready(at))
}

/// The names along one circle among the flows that could not be placed.
fn cycle(flows: &[Flow], before: &[BTreeSet<usize>], placed: &[bool]) -> Vec<String> {
    let Some(start) = placed.iter().position(|placed| !placed) else {
        return Vec::new();
    };
    let mut path = vec![start];
    let mut at = start;
    // Every flow that is left waits for one that is left, so the walk comes round.
    while let Some(&next) = before[at].iter().find(|&&required| !placed[required]) {
        if let Some(from) = path.iter().position(|&seen| seen == next) {
            let mut names: Vec<_> = path[from..]
                .iter()
                .map(|&i| flows[i].name.clone())
                .collect();
            names.push(flows[next].name.clone());
            return names;
        }
        path.push(next);
        at = next;
    }
    path.iter().map(|&i| flows[i].name.clone()).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn flow(number: u128, name: &str, calls: &[u128]) -> Flow {
        Flow {
            id: Uuid::from_u128(number),
            name: name.to_owned(),
            on: false,
            owner: None,
            connection_references: Vec::new(),
            calls: calls.iter().map(|&n| Uuid::from_u128(n)).collect(),
        }
    }

    fn names(flows: &[Flow], manual: &[(u128, f64)]) -> Vec<String> {
        let manual = manual
            .iter()
            .map(|&(id, at)| (Uuid::from_u128(id), at))
            .collect();
        flow_order(flows, &manual)
            .unwrap()
            .into_iter()
            .map(|flow| flow.name)
            .collect()
    }

    #[test]
    fn children_come_before_their_parents() {
        let flows = [
            flow(1, "A parent", &[2]),
            flow(2, "B child", &[3]),
            flow(3, "C grandchild", &[]),
        ];
        assert_eq!(names(&flows, &[]), ["C grandchild", "B child", "A parent"]);
    }

    #[test]
    fn an_order_by_hand_wins_over_the_calls() {
        let flows = [
            flow(1, "A parent", &[2]),
            flow(2, "B child", &[]),
            flow(3, "C other", &[]),
        ];
        assert_eq!(
            names(&flows, &[(1, 1.0), (2, 2.0)]),
            ["A parent", "B child", "C other"]
        );
    }

    #[test]
    fn numbered_flows_come_first_but_after_the_flows_that_they_call() {
        let flows = [
            flow(1, "A", &[]),
            flow(2, "Y", &[3]),
            flow(3, "Z child", &[]),
        ];
        assert_eq!(names(&flows, &[(2, 10.0)]), ["Z child", "Y", "A"]);
    }

    #[test]
    fn equal_numbers_leave_the_calls_to_decide() {
        let flows = [flow(1, "A parent", &[2]), flow(2, "B child", &[])];
        assert_eq!(
            names(&flows, &[(1, 1.0), (2, 1.0)]),
            ["B child", "A parent"]
        );
    }

    #[test]
    fn a_circle_is_named_and_self_calls_are_none() {
        let flows = [
            flow(1, "A", &[2, 1]),
            flow(2, "B", &[3]),
            flow(3, "C", &[1]),
            flow(4, "D", &[]),
        ];
        let error = flow_order(&flows, &HashMap::new()).unwrap_err();
        assert_eq!(
            error.to_string(),
            "these flows call each other in a circle: A → B → C → A"
        );
        assert_eq!(names(&[flow(1, "A", &[1])], &[]), ["A"]);
    }

    proptest! {
        #[test]
        fn every_order_respects_calls_that_only_point_backwards(
            calls in proptest::collection::vec(proptest::collection::vec(0usize..12, 0..4), 1..12)
        ) {
            // Flow i may call only flows with a smaller number: no circle can arise.
            let flows: Vec<_> = calls.iter().enumerate().map(|(i, calls)| {
                let calls: Vec<_> = calls.iter().filter(|&&c| c < i).map(|&c| c as u128).collect();
                flow(i as u128, &format!("flow {}", 100 - i), &calls)
            }).collect();
            let order = flow_order(&flows, &HashMap::new()).unwrap();
            prop_assert_eq!(order.len(), flows.len());
            for (place, flow) in order.iter().enumerate() {
                for called in &flow.calls {
                    let at = order.iter().position(|other| other.id == *called).unwrap();
                    prop_assert!(at < place);
                }
            }
        }
    }
}
