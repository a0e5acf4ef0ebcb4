package io.github.eft4j.models.format;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TokenizerConverterTest {
  private static final String BYTE_LEVEL =
      "{'type':'ByteLevel','add_prefix_space':false,'use_regex':true}";
  private static final String NO_PROCESSOR = "null";
  private static final String BEGINS =
      "{'type':'TemplateProcessing','single':[{'SpecialToken':{'id':'<s>','type_id':0}},"
          + "{'Sequence':{'id':'A','type_id':0}}]}";

  @TempDir Path directory;

  private GgufVocabulary convert(String json, GenerationConfig generation, int size)
      throws IOException {
    Files.writeString(directory.resolve("tokenizer.json"), json.replace('\'', '"'));
    return TokenizerConverter.read(directory, generation, size).orElseThrow();
  }

  private static GenerationConfig generation(Integer... ends) {
    return new GenerationConfig(
        Set.of(ends), OptionalInt.empty(), OptionalInt.empty(), Optional.empty());
  }

  private static String byteLevel(String preTokenizer) {
    return """
    {'normalizer':null,'pre_tokenizer':%s,'post_processor':null,
     'added_tokens':[{'id':3,'content':'<end>','special':true},
                     {'id':4,'content':'<tag>','special':false}],
     'model':{'type':'BPE','unk_token':null,
              'vocab':{'a':0,'b':1,'ab':2,'<end>':3},'merges':[['a','b']]}}
    """
        .formatted(preTokenizer);
  }

  @Test
  void byteLevelEncoding() throws IOException {
    GgufVocabulary vocabulary = convert(byteLevel(BYTE_LEVEL), generation(3), 6);
    assertThat(vocabulary.model()).isEqualTo("gpt2");
    assertThat(vocabulary.pre()).isEqualTo("gpt-2");
    assertThat(vocabulary.tokens()).containsExactly("a", "b", "ab", "<end>", "<tag>", "[PAD5]");
    assertThat(vocabulary.types())
        .containsExactly(
            GgufVocabulary.NORMAL,
            GgufVocabulary.NORMAL,
            GgufVocabulary.NORMAL,
            GgufVocabulary.CONTROL,
            GgufVocabulary.USER_DEFINED,
            GgufVocabulary.UNUSED);
    assertThat(vocabulary.merges()).containsExactly("a b");
    assertThat(vocabulary.scores()).isEmpty();
    assertThat(vocabulary.endOfText()).hasValue(3);
    assertThat(vocabulary.beginOfText()).isEmpty();
    assertThat(vocabulary.addBeginOfText()).isFalse();
    assertThat(vocabulary.addSpacePrefix()).isFalse();
  }

  @Test
  void falconsSplitIsRecognised() throws IOException {
    String splits =
        "{'type':'Sequence','pretokenizers':[{'type':'Punctuation','behavior':'Contiguous'},"
            + BYTE_LEVEL
            + ",{'type':'Digits','individual_digits':false},"
            + split("[0-9][0-9][0-9]")
            + "]}";
    assertThat(convert(byteLevel(splits), generation(), 5).pre()).isEqualTo("falcon");
  }

  @Test
  void llama3sSplitIsRecognised() throws IOException {
    String splits =
        "{'type':'Sequence','pretokenizers':["
            + split(
                "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}"
                    + "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+")
            + ",{'type':'ByteLevel','add_prefix_space':false,'use_regex':false}]}";
    assertThat(convert(byteLevel(splits), generation(), 5).pre()).isEqualTo("llama-bpe");
  }

  private static String split(String regex) {
    String escaped = regex.replace("\\", "\\\\").replace("'", "\\u0027");
    return "{'type':'Split','pattern':{'Regex':'%s'},'behavior':'Isolated','invert':false}"
        .formatted(escaped);
  }

  @Test
  void anotherSplitIsRefused() {
    assertThatThrownBy(
            () ->
                convert(
                    byteLevel(
                        "{'type':'Sequence','pretokenizers':[{'type':'Digits'},"
                            + BYTE_LEVEL
                            + "]}"),
                    generation(),
                    5))
        .isInstanceOf(ModelFormatException.class)
        .hasMessageStartingWith(directory.resolve("tokenizer.json") + ": pre_tokenizer is ")
        .hasMessageEndingWith("expected that of GPT-2, Llama 3 or Falcon");
  }

  /** Ids 0 to 2 are special, 3 to 258 bytes, then come "▁", "a", "b", "▁a" and "▁ab". */
  private static String sentencePiece(String normalizer, String preTokenizer, String processor) {
    String bytes =
        IntStream.range(0, 256)
            .mapToObj(b -> "'<0x%02X>':%d,".formatted(b, b + 3))
            .collect(Collectors.joining());
    return """
    {'normalizer':%s,'pre_tokenizer':%s,'post_processor':%s,
     'added_tokens':[{'id':0,'content':'<unk>','special':true},
                     {'id':1,'content':'<s>','special':true},
                     {'id':2,'content':'</s>','special':true}],
     'model':{'type':'BPE','unk_token':'<unk>','byte_fallback':true,
              'vocab':{'<unk>':0,'<s>':1,'</s>':2,%s'▁':259,'a':260,'b':261,'▁a':263,'▁ab':262},
              'merges':['▁ a','▁a b']}}
    """
        .formatted(normalizer, preTokenizer, processor, bytes);
  }

  private static final String PREPEND =
      "{'type':'Sequence','normalizers':[{'type':'Prepend','prepend':'▁'},"
          + "{'type':'Replace','pattern':{'String':' '},'content':'▁'}]}";

  @Test
  void encodingThatStemsFromSentencePiece() throws IOException {
    Files.writeString(
        directory.resolve("tokenizer_config.json"),
        "{\"bos_token\":\"<s>\",\"eos_token\":{\"content\":\"</s>\"},\"pad_token\":null}");
    GgufVocabulary vocabulary = convert(sentencePiece(PREPEND, "null", BEGINS), generation(2), 264);
    assertThat(vocabulary.model()).isEqualTo("llama");
    assertThat(vocabulary.pre()).isEmpty();
    assertThat(vocabulary.merges()).isEmpty();
    assertThat(vocabulary.types())
        .startsWith(
            GgufVocabulary.UNKNOWN,
            GgufVocabulary.CONTROL,
            GgufVocabulary.CONTROL,
            GgufVocabulary.BYTE)
        .endsWith(GgufVocabulary.NORMAL, GgufVocabulary.NORMAL);
    // "▁a" is merged first, "▁ab" second; single characters come last.
    assertThat(vocabulary.scores()[263]).isGreaterThan(vocabulary.scores()[262]);
    assertThat(vocabulary.scores()[262]).isGreaterThan(vocabulary.scores()[260]);
    assertThat(vocabulary.unknown()).hasValue(0);
    assertThat(vocabulary.beginOfText()).hasValue(1);
    assertThat(vocabulary.endOfText()).hasValue(2);
    assertThat(vocabulary.padding()).isEmpty();
    assertThat(vocabulary.addBeginOfText()).isTrue();
    assertThat(vocabulary.addEndOfText()).isFalse();
    assertThat(vocabulary.addSpacePrefix()).isTrue();
  }

  @Test
  void spacesBeforeATextMayBeLeftOut() throws IOException {
    String replace = "{'type':'Replace','pattern':{'String':' '},'content':'▁'}";
    assertThat(
            convert(sentencePiece(replace, "null", NO_PROCESSOR), generation(), 264)
                .addSpacePrefix())
        .isFalse();
    String metaspace =
        "{'type':'Metaspace','replacement':'▁','prepend_scheme':'first','split':false}";
    assertThat(
            convert(sentencePiece("null", metaspace, NO_PROCESSOR), generation(), 264)
                .addSpacePrefix())
        .isTrue();
    assertThatThrownBy(
            () -> convert(sentencePiece("null", "null", NO_PROCESSOR), generation(), 264))
        .isInstanceOf(ModelFormatException.class)
        .hasMessageEndingWith("expected SentencePiece's treatment of spaces");
  }

  @Test
  void theTokenizersConfigurationDecidesWhatIsAdded() throws IOException {
    Files.writeString(
        directory.resolve("tokenizer_config.json"),
        "{\"bos_token\":\"<s>\",\"eos_token\":\"</s>\",\"add_bos_token\":false,\"add_eos_token\":true}");
    GgufVocabulary vocabulary = convert(sentencePiece(PREPEND, "null", BEGINS), generation(2), 264);
    assertThat(vocabulary.addBeginOfText()).isFalse();
    assertThat(vocabulary.addEndOfText()).isTrue();
  }

  @Test
  void severalIdsMayEndAText() throws IOException {
    Files.writeString(directory.resolve("tokenizer_config.json"), "{\"eos_token\":\"ab\"}");
    GgufVocabulary vocabulary = convert(byteLevel(BYTE_LEVEL), generation(3, 0, 2), 5);
    assertThat(vocabulary.endOfText()).hasValue(2);
    assertThat(vocabulary.endOfTurn()).hasValue(0);
    assertThat(vocabulary.endOfMessage()).hasValue(3);
    assertThatThrownBy(() -> convert(byteLevel(BYTE_LEVEL), generation(0, 1, 2, 3), 5))
        .isInstanceOf(ModelFormatException.class)
        .hasMessageContaining("4 ids end a text, [2, 0, 1, 3], but GGUF files name at most 3");
  }

  @Test
  void whatHasNoCounterpartIsRefused() {
    assertThatThrownBy(
            () -> convert(byteLevel(BYTE_LEVEL).replace("'BPE'", "'Unigram'"), generation(), 5))
        .isInstanceOf(ModelFormatException.class)
        .hasMessageContaining("model.type is \"Unigram\", expected BPE");
    assertThatThrownBy(() -> convert(byteLevel("null"), generation(), 5))
        .hasMessageContaining("model.byte_fallback is missing, expected true");
    assertThatThrownBy(
            () ->
                convert(
                    byteLevel(BYTE_LEVEL)
                        .replace("'normalizer':null", "'normalizer':{'type':'NFC'}"),
                    generation(),
                    5))
        .hasMessageContaining("normalizer is {\"type\":\"NFC\"}, expected null");
    assertThatThrownBy(() -> convert(byteLevel(BYTE_LEVEL), generation(), 4))
        .hasMessageContaining("token <tag> has id 4, expected 0 to 3, the model's ids");
    assertThatThrownBy(
            () ->
                convert(
                    sentencePiece(PREPEND, "null", NO_PROCESSOR).replace("'▁ a',", ""),
                    generation(),
                    264))
        .hasMessageContaining("no merge yields token 263, ▁a");
    assertThatThrownBy(
            () ->
                convert(
                    sentencePiece(PREPEND, "null", NO_PROCESSOR).replace("'<0x0A>':13,", ""),
                    generation(),
                    264))
        .hasMessageContaining("a token <0x0A> for byte_fallback");
  }

  @Test
  void aDirectoryWithoutTokenizerHasNoVocabulary() throws IOException {
    assertThat(TokenizerConverter.read(directory, generation(), 5)).isEmpty();
  }
}
