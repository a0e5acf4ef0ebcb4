import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;

/**
 * Fails with one sentence where nd4j-cuda-11.6 cannot run: it holds machine code for compute
 * capability 3.7 to 8.6 and no PTX that a newer driver could translate, so 8.9 (Ada) runs the code
 * for 8.6, while 9.0 (Hopper) and newer have nothing to run.
 */
final class CudaCheck {
  private static final double OLDEST = 3.7;
  private static final double TOO_NEW = 9.0;

  private CudaCheck() {}

  public static void main(String[] args) throws InterruptedException {
    String found = found();
    if (found != null) {
      System.err.printf(
          "-Pcuda needs an NVIDIA GPU of compute capability 3.7 to 8.6 (or 8.9) with its driver,"
              + " and cannot use Hopper (9.0) or newer, but %s.%n",
          found);
      System.exit(1);
    }
  }

  /** Returns what was found instead of a GPU that can be used, or null where there is one. */
  private static String found() throws InterruptedException {
    String output;
    int status;
    try {
      Process process =
          new ProcessBuilder(
                  "nvidia-smi", "--query-gpu=name,compute_cap", "--format=csv,noheader,nounits")
              .redirectErrorStream(true)
              .start();
      output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
      status = process.waitFor();
    } catch (IOException e) {
      return "nvidia-smi cannot be started, so this machine seems to have neither";
    }
    List<String> gpus = output.lines().map(String::strip).filter(l -> !l.isEmpty()).toList();
    if (status != 0 || gpus.isEmpty()) {
      return "nvidia-smi reports no GPU: " + String.join(" ", gpus).replaceAll("[.]$", "");
    }
    return gpus.stream().anyMatch(CudaCheck::usable)
        ? null
        : "this machine has only: " + String.join("; ", gpus);
  }

  /** Reads a line such as {@code NVIDIA A100-SXM4-80GB, 8.0}. */
  private static boolean usable(String gpu) {
    try {
      double capability = Double.parseDouble(gpu.substring(gpu.lastIndexOf(',') + 1).strip());
      return capability >= OLDEST && capability < TOO_NEW;
    } catch (NumberFormatException e) {
      return false;
    }
  }
}
