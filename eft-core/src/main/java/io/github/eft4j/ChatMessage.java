package io.github.eft4j;

/**
 * One message of a conversation.
 *
 * @param role who speaks: by convention {@code system}, {@code user} or {@code assistant}
 * @param content what is said
 */
public record ChatMessage(String role, String content) {
  /**
   * A message that sets the scene.
   *
   * @param content what is said
   * @return the message
   */
  public static ChatMessage system(String content) {
    return new ChatMessage("system", content);
  }

  /**
   * A message of the user.
   *
   * @param content what is said
   * @return the message
   */
  public static ChatMessage user(String content) {
    return new ChatMessage("user", content);
  }

  /**
   * A message of the model.
   *
   * @param content what is said
   * @return the message
   */
  public static ChatMessage assistant(String content) {
    return new ChatMessage("assistant", content);
  }
}
