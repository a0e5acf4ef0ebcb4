/**
 * Results as web pages, each one HTML document that needs nothing beside itself: how a text came
 * about ({@link io.github.eft4j.html.TracePage}) and how an answer was reasoned ({@link
 * io.github.eft4j.html.ReasoningPage}).
 */
@NullMarked
package io.github.eft4j.html;

import org.jspecify.annotations.NullMarked;
