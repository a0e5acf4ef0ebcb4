package io.github.eft4j.models;

/** Hears how far the loading of a model has come. */
@FunctionalInterface
public interface LoadProgress {
  /**
   * Called before a tensor is loaded, and once after the last one, on the thread that loads.
   *
   * @param bytes the size of the tensors loaded so far, in bytes as stored
   * @param totalBytes the size of all tensors, in bytes as stored
   */
  void loaded(long bytes, long totalBytes);
}
