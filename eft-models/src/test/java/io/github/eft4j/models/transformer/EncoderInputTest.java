package io.github.eft4j.models.transformer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.util.List;
import org.junit.jupiter.api.Test;

class EncoderInputTest {
  @Test
  void plainIdsAllReadOneAnother() {
    assertThat(EncoderInput.of(5, 6))
        .isEqualTo(new EncoderInput(List.of(5, 6), List.of(1, 1), List.of(0, 0)));
  }

  @Test
  void refusesListsThatDoNotFit() {
    assertThatIllegalArgumentException()
        .isThrownBy(EncoderInput::of)
        .withMessage("the input has no tokens");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new EncoderInput(List.of(5, 6), List.of(1), List.of(0, 0)))
        .withMessage("attention mask has 1 entries for 2 token ids");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new EncoderInput(List.of(5), List.of(1), List.of(0, 0)))
        .withMessage("list of token types has 2 entries for 1 token ids");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new EncoderInput(List.of(5), List.of(2), List.of(0)))
        .withMessage("attention mask holds 2, expected 0 or 1");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new EncoderInput(List.of(5), List.of(0), List.of(0)))
        .withMessage("attention mask hides all tokens");
  }
}
