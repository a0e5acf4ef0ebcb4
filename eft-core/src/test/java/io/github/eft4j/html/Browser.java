package io.github.eft4j.html;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.File;
import java.io.IOException;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.nd4j.shade.jackson.databind.JsonNode;
import org.nd4j.shade.jackson.databind.ObjectMapper;

/** Shows pages in a real browser without a window, and asks it what it made of them. */
final class Browser {
  private static final Pattern RESULT = Pattern.compile("<title>RESULT(.*?)</title>");

  private static final int ATTEMPTS = 3;

  private Browser() {}

  private static Optional<Path> program() {
    return Stream.of(System.getenv("PATH").split(File.pathSeparator, -1))
        .flatMap(
            directory ->
                Stream.of("chromium", "chromium-browser", "google-chrome")
                    .map(name -> Path.of(directory, name)))
        .filter(Files::isExecutable)
        .findFirst();
  }

  /** Skips a test where there is no browser. */
  static void assumeThereIsOne() {
    assumeTrue(program().isPresent(), "no chromium or google-chrome on the PATH");
  }

  /**
   * Opens a page, and runs a script in it.
   *
   * @param directory where files may be put
   * @param html the page
   * @param width of the window in pixels
   * @param dark whether the reader prefers dark pages
   * @param function the body of a JavaScript function, which returns an object
   * @return the object
   */
  static JsonNode run(Path directory, String html, int width, boolean dark, String function)
      throws IOException, InterruptedException {
    int body = html.indexOf("<style>");
    Path page =
        Files.writeString(
            directory.resolve("page.html"),
            html.substring(0, body)
                + "<script>errors = []; onerror = message => { errors.push(message); };</script>"
                + html.substring(body)
                // Only a page that has the focus shows what has it.
                + "<script>{ const run = () => {"
                + function
                + "}; const wait = () => { if (!document.hasFocus()) { setTimeout(wait, 20);"
                + " return; } document.title = 'RESULT' +"
                + " encodeURIComponent(JSON.stringify(run())); }; wait(); }</script>");
    Path output = directory.resolve("dom.html");
    List<String> command =
        new ArrayList<>(
            List.of(
                program().orElseThrow().toString(),
                "--headless",
                "--no-sandbox", // it opens nothing but this page, and root has no sandbox
                "--disable-gpu",
                "--no-first-run",
                "--user-data-dir=" + directory.resolve("profile"),
                "--virtual-time-budget=20000",
                "--window-size=" + width + ",800",
                "--blink-settings=preferredColorScheme=" + (dark ? 0 : 1),
                "--dump-dom",
                page.toUri().toString()));
    for (int attempt = 1; ; attempt++) {
      Process process =
          new ProcessBuilder(command)
              .redirectOutput(output.toFile())
              .redirectError(directory.resolve("log").toFile())
              .start();
      boolean ended = process.waitFor(2, TimeUnit.MINUTES);
      process.destroyForcibly();
      assertThat(ended).as("the browser ended").isTrue();
      Matcher result = RESULT.matcher(Files.readString(output));
      if (result.find()) {
        return new ObjectMapper()
            .readTree(
                URLDecoder.decode(result.group(1).replace("+", "%2B"), StandardCharsets.UTF_8));
      }
      // On a busy machine the page may not get the focus in time.
      assertThat(attempt).as(() -> "a result in " + page).isLessThan(ATTEMPTS);
    }
  }
}
