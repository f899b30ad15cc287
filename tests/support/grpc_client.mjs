// grpc_client.mjs: calls of the public gRPC services, as an internal service makes them: over
// HTTP/2 to control's Unix socket, messages in the shape of proto3 JSON (proto_schema).
import http2 from 'node:http2';
import net from 'node:net';

import { at } from './proto_wire.mjs';
import { ProtoSchema } from './proto_schema.mjs';
import { mint } from './tokens.mjs';

const SCOPES =
  'rooms:read rooms:write members:write messages:read messages:write presence:read notify';
const UNAVAILABLE = 14;

export class GrpcError extends Error {
  constructor(method, code, message, reason) {
    super(`${method}: code ${code} ${reason}: ${message}`);
    this.code = code;
    this.reason = reason; // Word of confab.v1.Reason; empty if the answer names none.
  }

  // Nobody answered, or not in time: to be asked again.
  get isLost() {
    return this.code === UNAVAILABLE || this.code === 4;
  }
}

export class GrpcClient {
  // REQUIRES: control listens on a Unix socket.
  constructor(cluster, name) {
    this.socket = cluster.ctlEnv.CONFAB_CONTROL.replace(/^unix:/, '');
    this.token = mint(cluster.serviceSecret, name, { aud: 'control', scope: SCOPES });
    this.isClosed = false;
    this.schema = new ProtoSchema(cluster.dir);
    cluster.closing.push(() => this.close());
  }

  // The answer of a unary call, the last one of a stream; throws GrpcError.
  async call(method, request, options) {
    let answer;
    for await (const message of this.stream(method, request, options)) answer = message;
    return answer;
  }

  // The answers one by one; the call ends with the loop.
  async *stream(method, request, { timeout = '10S' } = {}) {
    const { path, request: asked, response } = this.schema.methods.get(method);
    const call = this.#open(path, timeout, this.schema.encode(asked, request));
    let status = {};
    const learn = (headers) => (status = { ...status, ...headers });
    call.on('response', learn).on('trailers', learn);
    try {
      yield* this.#messages(call, response);
    } catch (error) {
      throw new GrpcError(method, UNAVAILABLE, String(error), '');
    } finally {
      call.close(http2.constants.NGHTTP2_CANCEL);
    }
    const code = Number(status['grpc-status'] ?? UNAVAILABLE); // Without one it was cut off.
    if (code === 0) return;
    const message = decodeURIComponent(status['grpc-message'] ?? '');
    throw new GrpcError(method, code, message, reasonOf(status['grpc-status-details-bin']));
  }

  close() {
    this.isClosed = true;
    this.session?.destroy();
  }

  async *#messages(call, type) {
    let rest = Buffer.alloc(0);
    for await (const chunk of call) {
      rest = Buffer.concat([rest, chunk]);
      // A byte that says uncompressed, the length, the message.
      for (let end; rest.length >= 5 && rest.length >= (end = 5 + rest.readUInt32BE(1)); ) {
        const message = this.schema.decode(type, rest.subarray(5, end));
        rest = rest.subarray(end);
        yield message;
      }
    }
  }

  #open(path, timeout, message) {
    if (!this.session || this.session.closed || this.session.destroyed) {
      this.session = http2.connect('http://localhost', {
        createConnection: () => net.connect(this.socket),
      });
      this.session.on('error', () => {}); // Each call of it fails too.
    }
    const call = this.session.request({
      ':method': 'POST',
      ':path': path,
      'content-type': 'application/grpc+proto',
      te: 'trailers',
      'grpc-timeout': timeout,
      authorization: `Bearer ${this.token}`,
    });
    const head = Buffer.alloc(5);
    head.writeUInt32BE(message.length, 1);
    call.end(Buffer.concat([head, message]));
    return call;
  }
}

// google.rpc.Status: the reason of the first detail, an ErrorInfo.
function reasonOf(details) {
  if (details === undefined) return '';
  return at(Buffer.from(String(details), 'base64'), 3, 2, 1)?.toString() ?? '';
}
