package io.github.eft4j.langchain4j;

import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.langchain4j.exception.InvalidRequestException;
import dev.langchain4j.exception.UnsupportedFeatureException;
import dev.langchain4j.model.chat.request.ChatRequest;
import dev.langchain4j.model.chat.request.ChatRequestParameters;
import dev.langchain4j.model.chat.request.ResponseFormat;
import dev.langchain4j.model.chat.response.ChatResponse;
import dev.langchain4j.model.chat.response.PartialResponse;
import dev.langchain4j.model.chat.response.PartialResponseContext;
import dev.langchain4j.model.chat.response.StreamingChatResponseHandler;
import dev.langchain4j.model.chat.response.StreamingHandle;
import dev.langchain4j.model.output.FinishReason;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CountDownLatch;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class EftStreamingChatModelTest {
  /** No test waits as long as this unless it fails. */
  private static final int PATIENCE = 30;

  /** Remembers what it is told. */
  private static class Recorder implements StreamingChatResponseHandler {
    final List<String> parts = new ArrayList<>();
    final List<Throwable> errors = new ArrayList<>();
    @Nullable ChatResponse response;
    private final CountDownLatch done = new CountDownLatch(1);
    private final Consumer<StreamingHandle> onPart;

    Recorder(Consumer<StreamingHandle> onPart) {
      this.onPart = onPart;
    }

    Recorder() {
      this(handle -> {});
    }

    @Override
    public void onPartialResponse(PartialResponse part, PartialResponseContext context) {
      parts.add(part.text());
      onPart.accept(context.streamingHandle());
    }

    @Override
    public void onCompleteResponse(ChatResponse completeResponse) {
      response = completeResponse;
      done.countDown();
    }

    @Override
    public void onError(Throwable error) {
      errors.add(error);
      done.countDown();
    }

    ChatResponse await() throws InterruptedException {
      assertThat(done.await(PATIENCE, SECONDS)).isTrue();
      return Objects.requireNonNull(response, () -> "no response, but " + errors);
    }
  }

  private static ChatRequest hello(ChatRequestParameters parameters) {
    return ChatRequest.builder()
        .messages(dev.langchain4j.data.message.UserMessage.from("hello"))
        .parameters(parameters)
        .build();
  }

  private final ScriptedModel scripted = new ScriptedModel(conversation -> "Well, " + conversation);

  @Test
  void textArrivesAsItIsWritten() throws InterruptedException {
    EftStreamingChatModel model =
        EftStreamingChatModel.builder(scripted.sampler().stopStrings("o<a").build()).build();
    Recorder recorder = new Recorder();
    model.chat("hello", recorder);
    ChatResponse response = recorder.await();
    assertThat(response.aiMessage().text()).isEqualTo("Well, <user>hell");
    assertThat(response.finishReason()).isEqualTo(FinishReason.STOP);
    assertThat(recorder.parts).hasSizeGreaterThan(10);
    assertThat(String.join("", recorder.parts)).isEqualTo(response.aiMessage().text());
    assertThat(recorder.errors).isEmpty();
  }

  @Test
  void cancellingEndsTheSamplerAndAllCalls() throws InterruptedException {
    List<Thread> threads = new ArrayList<>();
    // It never ends by itself before its context is full.
    ScriptedModel endless = new ScriptedModel(conversation -> "on and ".repeat(100));
    EftStreamingChatModel model =
        EftStreamingChatModel.builder(endless.sampler().build())
            .executor(
                task -> {
                  Thread thread = Thread.ofPlatform().unstarted(task);
                  threads.add(thread);
                  thread.start();
                })
            .build();
    List<StreamingHandle> handles = new ArrayList<>();
    Recorder recorder =
        new Recorder(
            handle -> {
              handles.add(handle);
              if (handles.size() == 5) {
                handle.cancel();
              }
            });
    model.chat("hello", recorder);
    assertThat(threads).hasSize(1);
    assertThat(threads.getFirst().join(java.time.Duration.ofSeconds(PATIENCE))).isTrue();
    assertThat(recorder.parts).hasSize(5);
    assertThat(recorder.response).isNull();
    assertThat(recorder.errors).isEmpty();
    assertThat(handles).allMatch(StreamingHandle::isCancelled);
    assertThat(endless.openCaches).hasValue(0);
  }

  @Test
  void whatIsHeldBackIsNotToldAfterCancelling() throws InterruptedException {
    // "ab" might begin the stop string until the completion is at its end.
    ScriptedModel model = new ScriptedModel(conversation -> "xab");
    Recorder recorder = new Recorder(StreamingHandle::cancel);
    EftStreamingChatModel.builder(model.sampler().stopStrings("abc").build())
        .executor(Runnable::run)
        .build()
        .chat("hello", recorder);
    assertThat(recorder.parts).containsExactly("x");
    assertThat(recorder.response).isNull();
  }

  @Test
  void errorsAreToldToTheHandler() {
    EftStreamingChatModel model =
        EftStreamingChatModel.builder(scripted.sampler().build()).executor(Runnable::run).build();
    Recorder tooLong = new Recorder();
    model.chat("a".repeat(ScriptedModel.CONTEXT), tooLong);
    assertThat(tooLong.errors).singleElement().isInstanceOf(InvalidRequestException.class);
    Recorder outOfRange = new Recorder();
    model.chat(hello(ChatRequestParameters.builder().topP(2.0).build()), outOfRange);
    assertThat(outOfRange.errors).singleElement().isInstanceOf(InvalidRequestException.class);
    assertThat(scripted.openCaches).hasValue(0);
  }

  @Test
  void aFailingModelIsToldToTheHandler() {
    ScriptedModel failing =
        new ScriptedModel(
            conversation -> {
              throw new StackOverflowError("deep");
            });
    Recorder recorder = new Recorder();
    EftStreamingChatModel.builder(failing.sampler().build())
        .executor(Runnable::run)
        .build()
        .chat("hello", recorder);
    assertThat(recorder.errors).singleElement().isInstanceOf(StackOverflowError.class);
    assertThat(failing.openCaches).hasValue(0);
  }

  @Test
  void whatATextModelCannotDoIsRefusedAtOnce() {
    EftStreamingChatModel model = EftStreamingChatModel.builder(scripted.sampler().build()).build();
    ChatRequestParameters json =
        ChatRequestParameters.builder().responseFormat(ResponseFormat.JSON).build();
    assertThatThrownBy(() -> model.chat(hello(json), new Recorder()))
        .isInstanceOf(UnsupportedFeatureException.class)
        .hasMessageContaining("JSON response format is not supported");
  }
}
