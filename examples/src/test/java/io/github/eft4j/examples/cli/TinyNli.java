package io.github.eft4j.examples.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** A classifier with random weights and a tokenizer of a few words. */
final class TinyNli {
  private static final Path GOLDEN =
      Path.of("../eft-models/src/test/resources/golden/roberta-mnli-like");

  private static final String TOKENIZER =
      """
      {"version": "1.0", "truncation": null, "padding": null,
       "added_tokens": [
         {"id": 0, "content": "<s>", "single_word": false, "lstrip": false, "rstrip": false,
          "normalized": false, "special": true},
         {"id": 2, "content": "</s>", "single_word": false, "lstrip": false, "rstrip": false,
          "normalized": false, "special": true}],
       "normalizer": null, "pre_tokenizer": {"type": "Whitespace"}, "decoder": null,
       "post_processor": {"type": "RobertaProcessing", "sep": ["</s>", 2], "cls": ["<s>", 0],
         "trim_offsets": true, "add_prefix_space": false},
       "model": {"type": "WordLevel", "unk_token": "<unk>", "vocab":
         {"<s>": 0, "<pad>": 1, "</s>": 2, "<unk>": 3, "cats": 10, "sleep": 20}}}
      """;

  private TinyNli() {}

  /** Writes the classifier's files to a directory. */
  static String in(Path directory) throws IOException {
    for (String file : List.of("config.json", "model.safetensors")) {
      Files.copy(GOLDEN.resolve(file), directory.resolve(file));
    }
    Files.writeString(directory.resolve("tokenizer.json"), TOKENIZER);
    return directory.toString();
  }
}
