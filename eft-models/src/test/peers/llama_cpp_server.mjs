#!/usr/bin/env node
// llama.cpp's engine, as node-llama-cpp carries it, behind the part of its server's protocol that eft4j speaks.
// In an empty folder: npm i node-llama-cpp@3.22.1, then there: node PATH/llama_cpp_server.mjs FILE.gguf [PORT]
// LlamaCppPeerTest says how to test against it.
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const { getLlama } = await import(
  pathToFileURL(createRequire(process.cwd() + "/").resolve("node-llama-cpp"))
);
const [file, port = "8089"] = process.argv.slice(2);
const llama = await getLlama({ gpu: false, build: "never", logLevel: "error", maxThreads: 1 });
const model = await llama.loadModel({ modelPath: file });
const context = await model.createContext({
  contextSize: Math.min(512, model.trainContextSize),
  batchSize: 512,
  threads: { ideal: 1, min: 1 },
});
const sequence = context.getSequence();

/** The likeliest tokens after a prompt, with log-probabilities of the model's own logits. */
async function likeliest(prompt, count) {
  await sequence.clearHistory();
  const last = prompt.length - 1;
  const results = await sequence.controlledEvaluate([
    ...prompt.slice(0, last),
    [prompt[last], { generateNext: { logits: true, options: { temperature: 1, topK: 0, topP: 1, minP: 0 } } }],
  ]);
  const logits = [...results[last].next.logits];
  const max = logits.reduce((a, [, logit]) => Math.max(a, logit), -Infinity);
  const logZ = max + Math.log(logits.reduce((sum, [, logit]) => sum + Math.exp(logit - max), 0));
  logits.sort((a, b) => b[1] - a[1] || a[0] - b[0]);
  return logits
    .slice(0, count)
    .map(([id, logit]) => ({ id, token: "", logprob: logit - logZ }));
}

async function completion({ prompt, n_probs }) {
  const prompts = Array.isArray(prompt[0]) ? prompt : [prompt];
  const results = [];
  for (const [index, one] of prompts.entries()) {
    results.push({
      index,
      model: file,
      completion_probabilities: [{ top_logprobs: await likeliest(one, n_probs) }],
    });
  }
  return results.length === 1 ? results[0] : results;
}

const vocabulary = (await likeliest([1], Infinity)).length;
const routes = {
  "GET /v1/models": () => ({ data: [{ id: file, meta: { n_vocab: vocabulary } }] }),
  "GET /props": () => ({
    default_generation_settings: { n_ctx: context.contextSize },
    model_path: file,
  }),
  "POST /completion": completion,
  "POST /tokenize": ({ content }) => ({ tokens: model.tokenize(content, false, "trimLeadingSpace") }),
  "POST /detokenize": ({ tokens }) => ({ content: model.detokenize(tokens, true) }),
};

let turn = Promise.resolve(); // one request after another: there is one sequence
createServer((request, response) => {
  const parts = [];
  request.on("data", (part) => parts.push(part));
  request.on("end", () => {
    turn = turn.then(async () => {
      const route = routes[`${request.method} ${request.url}`];
      let status = route ? 200 : 404;
      let answer = { error: { message: "not found" } };
      try {
        answer = route ? await route(JSON.parse(Buffer.concat(parts).toString() || "{}")) : answer;
      } catch (e) {
        status = 500;
        answer = { error: { message: String(e) } };
      }
      response.writeHead(status, { "Content-Type": "application/json" });
      response.end(JSON.stringify(answer));
    });
  });
}).listen(Number(port), "127.0.0.1", () =>
  console.log(`${file} with ${vocabulary} ids on http://127.0.0.1:${port}`),
);
