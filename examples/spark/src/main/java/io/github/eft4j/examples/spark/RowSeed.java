package io.github.eft4j.examples.spark;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;

/**
 * The seed of a row: it depends on the job's seed and on the row's key, and on nothing else. So a
 * row has the same completion wherever, whenever and however often it is computed.
 */
final class RowSeed {
  private RowSeed() {}

  /**
   * Derives the seed of a row.
   *
   * @param jobSeed the seed of the job
   * @param key the row's key as text
   * @return the first eight bytes of SHA-256(job's seed, big endian, then the key in UTF-8), big
   *     endian
   */
  static long of(long jobSeed, String key) {
    MessageDigest sha256;
    try {
      sha256 = MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError("every JDK has it", e);
    }
    sha256.update(ByteBuffer.allocate(Long.BYTES).putLong(0, jobSeed));
    return ByteBuffer.wrap(sha256.digest(key.getBytes(UTF_8))).getLong();
  }
}
