use super::*;
use proptest::prelude::*;

fn sparse(rows: u32, columns: u32, elements: &[Element]) -> Sparse {
    let mut sparse = Sparse::new(rows, columns).unwrap();
    for (row, column, value) in elements {
        sparse.set(*row, *column, *value).unwrap();
    }
    sparse
}

fn dense_of(rows: u32, columns: u32, elements: &[Element]) -> Vec<f64> {
    let mut dense = vec![0.0; (rows * columns) as usize];
    for (row, column, value) in elements {
        dense[(row * columns + column) as usize] = *value;
    }
    dense
}

fn elements(rows: u32, columns: u32) -> impl Strategy<Value = Vec<Element>> {
    prop::collection::vec((0..rows, 0..columns, (-3i32..4).prop_map(f64::from)), 0..120)
}

proptest! {
    #[test]
    fn agrees_with_a_dense_matrix(list in elements(9, 7), merge_at in 0usize..120) {
        let mut matrix = Sparse::new(9, 7).unwrap();
        for (index, (row, column, value)) in list.iter().enumerate() {
            matrix.set(*row, *column, *value).unwrap();
            if index == merge_at {
                matrix.merge().unwrap();
            }
        }
        let dense = dense_of(9, 7, &list);
        for (place, value) in dense.iter().enumerate() {
            prop_assert_eq!(matrix.get(place as u32 / 7, place as u32 % 7), *value);
        }
        prop_assert_eq!(matrix.len(), dense.iter().filter(|value| **value != 0.0).count());
        prop_assert_eq!(matrix.to_dense().unwrap(), dense.clone());
        let same = Sparse::from_dense(&dense, 9, 7).unwrap().elements((0, 0), 1000).unwrap();
        prop_assert_eq!(matrix.elements((0, 0), 1000).unwrap(), same);
        let turned = matrix.transpose().unwrap().transpose().unwrap().to_dense().unwrap();
        prop_assert_eq!(turned, dense);
        prop_assert!(matrix.check().is_ok());
        let bytes = matrix.serialize().unwrap();
        prop_assert_eq!(Sparse::deserialize(&bytes).unwrap().to_dense(), matrix.to_dense());
    }

    #[test]
    fn products_agree_with_the_definition(left in elements(6, 5), right in elements(5, 8)) {
        let mut product = sparse(6, 5, &left).multiply(&mut sparse(5, 8, &right)).unwrap();
        let (left, right) = (dense_of(6, 5, &left), dense_of(5, 8, &right));
        for row in 0..6 {
            for column in 0..8 {
                let expected: f64 = (0..5).map(|inner| left[row * 5 + inner] * right[inner * 8 + column]).sum();
                prop_assert_eq!(product.get(row as u32, column as u32), expected);
            }
        }
        prop_assert!(product.elements((0, 0), 100).unwrap().iter().all(|element| element.2 != 0.0));
    }

    #[test]
    fn noise_is_an_error(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(Sparse::deserialize(&bytes).is_err());
        // With a frame of its own the noise gets further.
        let framed = ENVELOPE.seal(bytes.len(), |sealed| sealed.extend(&bytes)).unwrap();
        let _ = Sparse::deserialize(&framed);
    }
}

#[test]
fn many_elements_in_any_order() {
    let mut matrix = Sparse::new(1000, 1000).unwrap();
    let place = |n: u32| (n.wrapping_mul(7919) % 1000, n.wrapping_mul(104_729) % 1000);
    (0..20_000).for_each(|n| matrix.set(place(n).0, place(n).1, f64::from(n + 1)).unwrap());
    (0..20_000).for_each(|n| assert!(matrix.get(place(n).0, place(n).1) > 0.0));
    matrix.merge().unwrap();
    let dense = 1000 * 1000 * 8;
    assert!(matrix.bytes() * 20 < dense);
}

#[test]
fn columns_and_numbers_and_itself() {
    let mut matrix = sparse(2, 2, &[(0, 0, 1.0), (0, 1, 2.0), (1, 1, 3.0)]);
    assert_eq!(matrix.multiply_column(&[10.0, 1.0]).unwrap(), [12.0, 3.0]);
    assert!(matrix.multiply_column(&[1.0]).is_err());
    assert_eq!(
        matrix.scale(2.0).unwrap().to_dense().unwrap(),
        [2.0, 4.0, 0.0, 6.0]
    );
    assert!(matrix.scale(0.0).unwrap().is_empty());
    assert_eq!(
        matrix.squared().unwrap().to_dense().unwrap(),
        [1.0, 8.0, 0.0, 9.0]
    );
}

#[test]
fn what_is_outside_is_refused() {
    let mut matrix = sparse(2, 3, &[(1, 2, 5.0)]);
    assert!(matrix.set(2, 0, 1.0).is_err());
    assert!(matrix.set(0, 3, 1.0).is_err());
    assert_eq!(matrix.get(9, 9), 0.0);
    assert!(matrix.multiply(&mut Sparse::new(2, 3).unwrap()).is_err());
    assert!(Sparse::from_dense(&[1.0], 2, 3).is_err());
    assert!(Sparse::new(0, 0).unwrap().serialize().is_ok());
}

#[test]
fn elements_come_from_any_place_on() {
    let mut matrix = sparse(3, 3, &[(0, 1, 1.0), (1, 0, 2.0), (1, 2, 3.0), (2, 2, 4.0)]);
    assert_eq!(matrix.elements((0, 2), 2).unwrap(), [(1, 0, 2.0), (1, 2, 3.0)]);
    assert_eq!(matrix.elements((1, 1), 9).unwrap(), [(1, 2, 3.0), (2, 2, 4.0)]);
    assert_eq!(matrix.elements((9, 0), 9).unwrap(), []);
}
