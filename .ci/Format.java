import static java.nio.file.FileVisitResult.CONTINUE;
import static java.nio.file.FileVisitResult.SKIP_SUBTREE;

import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.List;
import java.util.spi.ToolProvider;

/**
 * Runs google-java-format over every Java file below the working directory. Maven starts it on the
 * JDK that compiles eft4j, because google-java-format parses with the javac of the JVM it runs in.
 *
 * <p>{@code java Format.java check} lists the files that are not formatted and fails if there are
 * any; {@code java Format.java write} formats them.
 */
final class Format {
  private Format() {}

  public static void main(String[] args) throws Exception {
    boolean check = args[0].equals("check");
    var arguments = new ArrayList<>(check ? List.of("-n", "--set-exit-if-changed") : List.of("-i"));
    for (Path file : javaFiles()) {
      arguments.add(file.toString());
    }
    ToolProvider formatter = ToolProvider.findFirst("google-java-format").orElseThrow();
    int status = formatter.run(System.out, System.err, arguments.toArray(new String[0]));
    if (check && status != 0) {
      System.err.println("The files above are not formatted. To format them: mvn -Pformat");
    }
    System.exit(status);
  }

  private static List<Path> javaFiles() throws IOException {
    var files = new ArrayList<Path>();
    Path root = Path.of("");
    Files.walkFileTree(
        root,
        new SimpleFileVisitor<>() {
          @Override
          public FileVisitResult preVisitDirectory(Path directory, BasicFileAttributes attributes) {
            String name = directory.getFileName().toString();
            boolean hidden = name.startsWith(".") && !name.equals(".ci");
            return hidden || name.equals("target") ? SKIP_SUBTREE : CONTINUE;
          }

          @Override
          public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) {
            if (file.toString().endsWith(".java")) {
              files.add(file);
            }
            return CONTINUE;
          }
        });
    return files;
  }
}
