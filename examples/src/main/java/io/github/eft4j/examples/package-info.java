/**
 * Programs that show the library at work. After {@code examples/eft --help} has built them, they
 * run on a JDK 25, with the arguments that each one names:
 *
 * {@snippet lang="shell" :
 * java --add-modules=jdk.incubator.vector --enable-native-access=ALL-UNNAMED \
 *     --sun-misc-unsafe-memory-access=allow \
 *     -cp examples/target/eft-examples.jar:$(cat examples/target/eft.classpath) \
 *     io.github.eft4j.examples.Quickstart examples/models "What is the capital of Finland?"
 * }
 */
@NullMarked
package io.github.eft4j.examples;

import org.jspecify.annotations.NullMarked;
