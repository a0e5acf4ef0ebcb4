package io.github.eft4j.models.tokenizer;

import com.hubspot.jinjava.el.JinjavaInterpreterResolver;
import java.beans.FeatureDescriptor;
import java.util.Iterator;
import java.util.regex.Pattern;
import jinjava.javax.el.ELContext;
import jinjava.javax.el.ELException;
import jinjava.javax.el.ELResolver;
import org.jspecify.annotations.Nullable;

/**
 * Gives strings in templates the methods that they have in Python instead of Java's, and their
 * characters by index. Everything else is as in Jinjava.
 */
final class PythonResolver extends ELResolver {
  private static final Pattern INDEX = Pattern.compile("-?\\d{1,9}");

  private static final ELResolver REST = JinjavaInterpreterResolver.DEFAULT_RESOLVER_READ_ONLY;

  @Override
  public @Nullable Object invoke(
      ELContext context,
      @Nullable Object base,
      Object method,
      Class<?> @Nullable [] parameterTypes,
      @Nullable Object @Nullable [] arguments) {
    if (base instanceof String string) {
      context.setPropertyResolved(true);
      try {
        return PythonStrings.call(
            string, method.toString(), arguments == null ? new Object[0] : arguments);
      } catch (IllegalArgumentException e) {
        // Jinjava passes over other exceptions of a method in silence.
        throw new ELException(e.getMessage(), e);
      }
    }
    return REST.invoke(context, base, method, parameterTypes, arguments);
  }

  @Override
  public @Nullable Object getValue(
      ELContext context, @Nullable Object base, @Nullable Object property) {
    if (base instanceof String string) {
      context.setPropertyResolved(true);
      return property != null && INDEX.matcher(property.toString()).matches()
          ? character(string, Integer.parseInt(property.toString()))
          : null;
    }
    return REST.getValue(context, base, property);
  }

  private static @Nullable String character(String string, int index) {
    int start = index < 0 ? index + string.length() : index;
    return start < 0 || start >= string.length() ? null : string.substring(start, start + 1);
  }

  @Override
  public @Nullable Class<?> getType(
      ELContext context, @Nullable Object base, @Nullable Object property) {
    return REST.getType(context, base, property);
  }

  @Override
  public void setValue(
      ELContext context, @Nullable Object base, @Nullable Object property, @Nullable Object value) {
    REST.setValue(context, base, property, value);
  }

  @Override
  public boolean isReadOnly(ELContext context, @Nullable Object base, @Nullable Object property) {
    return REST.isReadOnly(context, base, property);
  }

  @Override
  public @Nullable Class<?> getCommonPropertyType(ELContext context, @Nullable Object base) {
    return REST.getCommonPropertyType(context, base);
  }

  @Override
  public @Nullable Iterator<FeatureDescriptor> getFeatureDescriptors(
      ELContext context, @Nullable Object base) {
    return REST.getFeatureDescriptors(context, base);
  }
}
