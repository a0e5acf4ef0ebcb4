package io.github.eft4j.models.transformer;

import io.github.eft4j.models.config.EncoderConfig;
import java.util.ArrayList;
import java.util.List;
import java.util.function.ToIntFunction;

/**
 * The rows of one encoder pass. Hidden tokens have none, as nobody reads them: so padding costs
 * nothing and changes nothing. Only an input's first token always has one, as it is what is
 * classified; where it is hidden, it stands last, behind the rows that are read.
 */
final class EncoderRows {
  /** A token with its position and type. */
  private record Row(int id, int position, int type) {}

  /** The rows of one input. */
  record Sequence(List<Row> tokens, int readable) {
    int rows() {
      return tokens.size();
    }
  }

  private final List<Sequence> sequences = new ArrayList<>();
  private int count;

  /**
   * Checks an input and chooses its rows.
   *
   * @throws IllegalArgumentException as {@link SequenceClassifier#classify}
   */
  static Sequence sequence(EncoderConfig config, String model, int index, EncoderInput input) {
    List<Row> all = new ArrayList<>();
    List<Row> rows = new ArrayList<>();
    int position = config.firstPosition();
    for (int i = 0; i < input.ids().size(); i++) {
      int id = input.ids().get(i);
      int type = input.typeIds().get(i);
      checkBelow(config.vocabularySize(), "token id", id, i, index, model);
      checkBelow(config.tokenTypes(), "token type", type, i, index, model);
      // RoBERTa knows padding by its id, whatever the attention mask says.
      boolean padding = config.family() == EncoderConfig.Family.ROBERTA && id == config.padId();
      all.add(new Row(id, padding ? config.padId() : position++, type));
      if (input.attentionMask().get(i) == 1) {
        rows.add(all.getLast());
      }
    }
    int used = position - config.firstPosition();
    if (used > config.maxTokens()) {
      throw new IllegalArgumentException(
          "input %d has %d tokens, but model %s reads at most %d"
              .formatted(index, used, model, config.maxTokens()));
    }
    int readable = rows.size();
    if (input.attentionMask().getFirst() == 0) {
      rows.add(all.getFirst());
    }
    return new Sequence(rows, readable);
  }

  private static void checkBelow(int end, String what, int value, int at, int index, String model) {
    if (value < 0 || value >= end) {
      throw new IllegalArgumentException(
          "%s %d (token %d of input %d) is outside those of model %s, which has %d"
              .formatted(what, value, at, index, model, end));
    }
  }

  /** Whether a sequence fits in beside the others; one always does. */
  boolean hasRoom(Sequence sequence, int capacity) {
    return count == 0 || count + sequence.rows() <= capacity;
  }

  void add(Sequence sequence) {
    sequences.add(sequence);
    count += sequence.rows();
  }

  List<Sequence> sequences() {
    return sequences;
  }

  int count() {
    return count;
  }

  int[] ids() {
    return column(Row::id);
  }

  int[] positions() {
    return column(Row::position);
  }

  int[] types() {
    return column(Row::type);
  }

  private int[] column(ToIntFunction<Row> number) {
    return sequences.stream().flatMap(s -> s.tokens().stream()).mapToInt(number).toArray();
  }

  /** The row of each input's first token. */
  int[] firstTokens() {
    int[] rows = new int[sequences.size()];
    int start = 0;
    for (int s = 0; s < rows.length; s++) {
      Sequence sequence = sequences.get(s);
      boolean hidden = sequence.readable() < sequence.rows();
      rows[s] = hidden ? start + sequence.readable() : start;
      start += sequence.rows();
    }
    return rows;
  }
}
