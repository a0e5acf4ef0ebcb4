package io.github.eft4j.langchain4j;

import dev.langchain4j.model.chat.response.ChatResponseMetadata;
import io.github.eft4j.Completion;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** What is known of an answer besides its text. */
public final class EftChatResponseMetadata extends ChatResponseMetadata {
  private final Completion completion;

  private EftChatResponseMetadata(Builder builder) {
    super(builder);
    completion = builder.completion;
  }

  /**
   * All that the sampler says of the answer: its tokens, their log-probabilities, the seed that
   * draws it again, times.
   *
   * @return the completion
   */
  public Completion completion() {
    return completion;
  }

  @Override
  public ChatResponseMetadata.Builder<?> toBuilder() {
    return toBuilder(new Builder(completion));
  }

  @Override
  public boolean equals(@Nullable Object other) {
    return super.equals(other)
        && other instanceof EftChatResponseMetadata that
        && completion.equals(that.completion);
  }

  @Override
  public int hashCode() {
    return Objects.hash(super.hashCode(), completion);
  }

  @Override
  public String toString() {
    return "EftChatResponseMetadata{%s, completion=%s}".formatted(super.toString(), completion);
  }

  static Builder builder(Completion completion) {
    return new Builder(completion);
  }

  static final class Builder extends ChatResponseMetadata.Builder<Builder> {
    private final Completion completion;

    private Builder(Completion completion) {
      this.completion = completion;
    }

    @Override
    public EftChatResponseMetadata build() {
      return new EftChatResponseMetadata(this);
    }
  }
}
