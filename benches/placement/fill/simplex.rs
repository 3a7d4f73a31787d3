//! Linear programs of one form: the most of `gains · x` where `rows · x ≤ limits`, `x ≥ 0`, no limit below zero.

const SMALL: f64 = 1e-9;

/// The best value. Bland's rule: it ends.
pub(crate) fn most(gains: &[f64], rows: &[Vec<f64>], limits: &[f64]) -> f64 {
    let (wide, high) = (gains.len(), rows.len());
    // One row a constraint: its coefficients, its slack, its limit. The last row is what is to be gained.
    let mut table: Vec<Vec<f64>> = (rows.iter().zip(limits).enumerate())
        .map(|(at, (row, limit))| {
            let mut line = row.clone();
            line.extend((0..high).map(|slack| if slack == at { 1.0 } else { 0.0 }));
            line.push(*limit);
            line
        })
        .collect();
    let mut last: Vec<f64> = gains.iter().map(|gain| -gain).collect();
    last.resize(wide + high + 1, 0.0);
    table.push(last);
    let mut basis: Vec<usize> = (wide..wide + high).collect();
    while let Some(column) = (0..wide + high).find(|c| table[high][*c] < -SMALL) {
        let ratio = |row: usize| table[row][wide + high] / table[row][column];
        let rows = (0..high).filter(|row| table[*row][column] > SMALL);
        let leaving = rows.min_by(|a, b| {
            let by_basis = basis[*a].cmp(&basis[*b]);
            ratio(*a).total_cmp(&ratio(*b)).then(by_basis)
        });
        let Some(leaving) = leaving else {
            return f64::INFINITY;
        };
        pivot(&mut table, leaving, column);
        basis[leaving] = column;
    }
    table[high][wide + high]
}

fn pivot(table: &mut [Vec<f64>], row: usize, column: usize) {
    let by = table[row][column];
    table[row].iter_mut().for_each(|value| *value /= by);
    let lead = table[row].clone();
    for (at, line) in table.iter_mut().enumerate() {
        let times = line[column];
        if at == row || times == 0.0 {
            continue;
        }
        for (value, lead) in line.iter_mut().zip(&lead) {
            *value -= times * lead;
        }
    }
}
