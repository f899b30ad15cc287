// http_client.mjs: fetch against the HTTP API, as one user; each answer is held against the OpenAPI
// document that the server itself serves.
import assert from 'node:assert/strict';

import Ajv2020 from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';

export class HttpApi {
  constructor(cluster, document) {
    this.cluster = cluster;
    this.document = document;
    this.checks = new Map(); // Pointer into the document → what holds an answer against it.
    this.ajv = new Ajv2020({ strict: false, allErrors: true });
    addFormats(this.ajv);
    this.ajv.addSchema(document, 'api');
  }

  static async of(cluster) {
    const response = await fetch(`${cluster.url}/v1/openapi.json`);
    assert.equal(response.status, 200);
    return new HttpApi(cluster, await response.json());
  }

  // {status, headers, body}; body is parsed JSON, or undefined if there is none.
  async ask(method, path, { user, token, body, headers = {}, raw } = {}) {
    const bearer = token ?? (user ? this.cluster.token(user) : undefined);
    const response = await fetch(this.cluster.url + path, {
      method,
      headers: {
        ...(bearer === undefined ? {} : { authorization: `Bearer ${bearer}` }),
        ...(body === undefined && raw === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      body: raw ?? (body === undefined ? undefined : JSON.stringify(body)),
      signal: AbortSignal.timeout(30_000),
    });
    const text = await response.text();
    const answer = {
      status: response.status,
      headers: response.headers,
      body: text === '' ? undefined : JSON.parse(text),
    };
    this.#hold(method, path, answer);
    return answer;
  }

  // The same, an error unless the status is 2xx.
  async must(method, path, options) {
    const answer = await this.ask(method, path, options);
    const said = JSON.stringify(answer.body);
    assert.ok(answer.status < 300, `${method} ${path}: ${answer.status} ${said}`);
    return answer.body;
  }

  // The same, refused with this status and reason.
  async refused(status, reason, method, path, options) {
    const answer = await this.ask(method, path, options);
    assert.equal(answer.body?.error?.reason, reason, `${method} ${path}: ${answer.status}`);
    assert.equal(answer.status, status, `${method} ${path}`);
    return answer;
  }

  // The answer is one that the document has for this operation.
  #hold(method, path, { status, body }) {
    const where = `${method} ${path} ${status}`;
    const [template, operation] = this.#operation(method, path);
    if (operation === undefined) {
      // Not a route: only the form of the refusal is said.
      if (method !== 'OPTIONS') this.#valid('#/components/schemas/Error', body, where);
      return;
    }
    assert.ok(operation.responses[status], `${where} is not in the document`);
    if (body === undefined) return assert.equal(method, 'HEAD', where);
    let pointer = `#/paths/${escape(template)}/${method.toLowerCase()}/responses/${status}`;
    const { $ref } = operation.responses[status];
    if ($ref !== undefined) pointer = $ref;
    this.#valid(`${pointer}/content/application~1json/schema`, body, where);
  }

  #valid(pointer, body, where) {
    if (!this.checks.has(pointer))
      this.checks.set(pointer, this.ajv.compile({ $ref: `api${pointer}` }));
    const check = this.checks.get(pointer);
    assert.ok(check(body), `${where}: ${this.ajv.errorsText(check.errors)}\n${JSON.stringify(body)}`);
  }

  #operation(method, path) {
    const asked = path.split('?')[0].replace(/^(?!\/v1\/)/, '/v1');
    for (const [template, operations] of Object.entries(this.document.paths)) {
      const pattern = new RegExp(`^${template.replace(/\{\w+\}/g, '[^/]+')}$`);
      const name = method === 'HEAD' ? 'get' : method.toLowerCase();
      if (pattern.test(asked)) return [template, operations[name]];
    }
    return [];
  }
}

const escape = (part) => encodeURIComponent(part.replaceAll('~', '~0').replaceAll('/', '~1'));
