//! Work on several things at a time.

use std::sync::{Mutex, PoisonError};
use std::thread;

/// Does the work for each item, for so many of them at a time. The results are in the order of the items. What cannot have
/// a thread of its own is done on this one.
pub(crate) fn each<I, T, W>(items: I, at_a_time: usize, work: W) -> Vec<T>
where
    I: IntoIterator,
    I::IntoIter: Send,
    T: Send,
    W: Fn(I::Item) -> T + Sync,
{
    let todo = Mutex::new(items.into_iter().enumerate());
    let next = || todo.lock().unwrap_or_else(PoisonError::into_inner).next();
    let run = || {
        let mut done = Vec::new();
        while let Some((index, item)) = next() {
            done.push((index, work(item)));
        }
        done
    };
    let mut done = thread::scope(|scope| {
        let others: Vec<_> =
            (1..at_a_time).map(|_| thread::Builder::new().spawn_scoped(scope, run)).collect();
        let mut done = run();
        for other in others.into_iter().flatten() {
            match other.join() {
                Ok(more) => done.extend(more),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        done
    });
    done.sort_by_key(|(index, _)| *index);
    done.into_iter().map(|(_, result)| result).collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn results_are_in_the_order_of_the_items() {
        let all: Vec<u64> = (0..100).collect();
        for at_a_time in [0, 1, 3, 200] {
            let work = |n: u64| {
                std::thread::sleep(std::time::Duration::from_micros(n % 7 * 50));
                n * 2
            };
            let doubled: Vec<u64> = all.iter().map(|n| n * 2).collect();
            assert_eq!(super::each(all.clone(), at_a_time, work), doubled, "{at_a_time}");
        }
    }
}
