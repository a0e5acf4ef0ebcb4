package io.github.eft4j.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.ValueLayout;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;

class NativeArraysTest {
  /** Number i of the array is i. */
  private static INDArray counting(int rows, int columns) {
    float[] numbers = new float[rows * columns];
    for (int i = 0; i < numbers.length; i++) {
      numbers[i] = i;
    }
    return Nd4j.createFromArray(numbers).reshape(rows, columns);
  }

  private static float[] read(INDArray array) {
    return NativeArrays.floats(array).toArray(ValueLayout.JAVA_FLOAT);
  }

  @Test
  void seesAnArraysNumbersInPlace() {
    INDArray array = counting(2, 3);
    assertThat(read(array)).containsExactly(0, 1, 2, 3, 4, 5);
    NativeArrays.floats(array).setAtIndex(ValueLayout.JAVA_FLOAT, 4, -7);
    assertThat(array.getFloat(1, 1)).isEqualTo(-7);
  }

  @Test
  void seesAViewsNumbersAtItsOffset() {
    INDArray array = counting(6, 2);
    INDArray view = array.get(NDArrayIndex.interval(2, 4), NDArrayIndex.all());
    assertThat(read(view)).containsExactly(4, 5, 6, 7);
    assertThat(read(array.getRow(3))).containsExactly(6, 7);
    assertThat(read(array.getRow(3, true))).containsExactly(6, 7);
    assertThat(read(view.reshape(4))).containsExactly(4, 5, 6, 7);
  }

  @Test
  void seesRowsOfRows() {
    INDArray array = counting(6, 2);
    INDArray rows = NativeArrays.rows(array, 1, 6);
    assertThat(read(rows)).containsExactly(2, 3, 4, 5, 6, 7, 8, 9, 10, 11);
    INDArray rowsOfRows = NativeArrays.rows(rows, 2, 4);
    assertThat(rowsOfRows.shape()).containsExactly(2, 2);
    assertThat(read(rowsOfRows)).containsExactly(6, 7, 8, 9);
    assertThat(rowsOfRows.getFloat(1, 0)).isEqualTo(8);
    rowsOfRows.assign(-1);
    assertThat(read(array)).containsExactly(0, 1, 2, 3, 4, 5, -1, -1, -1, -1, 10, 11);
  }

  @Test
  void seesArraysOfOneRowOrColumn() {
    assertThat(read(counting(1, 3))).containsExactly(0, 1, 2);
    assertThat(read(counting(3, 1))).containsExactly(0, 1, 2);
    assertThat(read(NativeArrays.rows(counting(3, 1), 1, 2))).containsExactly(1);
  }

  @Test
  void refusesWhatIsNotContiguous() {
    INDArray array = counting(3, 4);
    assertThatIllegalArgumentException()
        .isThrownBy(() -> NativeArrays.floats(array.transpose()))
        .withMessageContaining("shape [4, 3], strides [1, 4]");
    assertThatIllegalArgumentException()
        .isThrownBy(
            () -> NativeArrays.floats(array.get(NDArrayIndex.all(), NDArrayIndex.interval(1, 3))))
        .withMessageContaining("not contiguous");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> NativeArrays.floats(array.getColumn(1)))
        .withMessageContaining("not contiguous");
  }

  @Test
  void refusesOtherTypesAndClosedArrays() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> NativeArrays.floats(Nd4j.create(DataType.DOUBLE, 2, 2)))
        .withMessage("array of DOUBLE, expected FLOAT");
    INDArray closed = Nd4j.create(DataType.FLOAT, 2, 2);
    closed.close();
    assertThatIllegalStateException().isThrownBy(() -> NativeArrays.floats(closed));
  }

  @Test
  void refusesRowsOutsideTheArray() {
    INDArray array = counting(3, 4);
    assertThatThrownBy(() -> NativeArrays.rows(array, 1, 4))
        .isInstanceOf(IndexOutOfBoundsException.class);
  }
}
