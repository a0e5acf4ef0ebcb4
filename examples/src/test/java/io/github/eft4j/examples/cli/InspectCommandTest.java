package io.github.eft4j.examples.cli;

import static io.github.eft4j.examples.cli.EftRun.eft;
import static io.github.eft4j.examples.cli.EftRun.model;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import org.junit.jupiter.api.Test;

class InspectCommandTest {
  // 1024 · 64 embeddings; 3 layers of (64 · (64 + 32 + 32 + 64) attention, 3 · 64 · 192
  // feed-forward,
  // 2 · 64 norms); 64 of the last norm.
  private static final int SMALL_PARAMETERS = 139_712;

  @Test
  void json() {
    EftRun run = eft("inspect", "--json", model("small-tuned"));
    assertThat(run.status()).isZero();
    assertThat(run.out()).hasLineCount(1);
    JsonNode info = run.json();
    assertThat(info.get("name").asText()).isEqualTo("small-tuned");
    assertThat(info.get("format").asText()).isEqualTo("safetensors");
    assertThat(info.get("family").asText()).isEqualTo("llama");
    assertThat(info.get("parameters").asInt()).isEqualTo(SMALL_PARAMETERS);
    assertThat(info.get("parametersByType").get("BF16").asInt()).isEqualTo(SMALL_PARAMETERS);
    assertThat(info.get("layers").asInt()).isEqualTo(3);
    assertThat(info.get("hiddenSize").asInt()).isEqualTo(64);
    assertThat(info.get("feedForwardSize").asInt()).isEqualTo(64);
    assertThat(info.get("heads").asInt()).isEqualTo(4);
    assertThat(info.get("keyValueHeads").asInt()).isEqualTo(2);
    assertThat(info.get("headSize").asInt()).isEqualTo(16);
    assertThat(info.get("vocabularySize").asInt()).isEqualTo(1024);
    assertThat(info.get("contextLength").asInt()).isEqualTo(512);
    assertThat(info.get("tiedEmbeddings").asBoolean()).isTrue();
    assertThat(run.ints("endOfTextIds")).containsExactly(1);
    JsonNode memory = info.get("memory");
    assertThat(memory.get("storedBytes").asInt()).isEqualTo(2 * SMALL_PARAMETERS);
    assertThat(memory.get("float32Bytes").asInt()).isEqualTo(4 * SMALL_PARAMETERS);
    assertThat(memory.get("cacheBytesPerToken").asInt()).isEqualTo(2 * 4 * 3 * 2 * 16);
    assertThat(info.get("tokenizer").get("kind").asText()).isEqualTo("BPE");
    assertThat(info.get("tokenizer").get("size").asInt()).isEqualTo(1024);
    assertThat(info.get("chatTemplate").asBoolean()).isTrue();
  }

  @Test
  void text() {
    EftRun run = eft("inspect", model("large-base"));
    assertThat(run.status()).isZero();
    assertThat(run.out())
        .isEqualToNormalizingNewlines(
            """
            name           large-base
            format         safetensors
            family         llama
            parameters     1,820,352 (BF16)
            shape          4 layers, hidden size 192, feed-forward size 512, tied embeddings
            attention      6 heads of size 32, 3 of keys and values
            vocabulary     1,024 ids
            context        512 tokens
            end of text    1
            memory         3.5 MiB as stored, 6.9 MiB as float32; cache 3.0 KiB a token
            tokenizer      BPE, 1,024 ids
            chat template  yes
            """);
  }
}
