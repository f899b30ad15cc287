// http_answer.h: an HTTP answer as it arrives in pieces; also the answer to a WebSocket upgrade,
// behind whose head frames follow.
// Owns: Beast's parser.   Used by: http_caller, chat_client.
// Threads: caller serialises.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

namespace confab::loadgen {

struct HttpAnswer {
  int status = 0;  // 0: none came; `body` says why.
  std::string body;
  int retry_after_s = 0;  // 0: not said.
  bool keeps_alive = false;

  bool is_ok() const { return status >= 200 && status < 300; }
};

// What a refusal says: {"error":{"reason":…,"message":…}}, or {"code":4,"message":…} as Engine.IO
// has it. Empty words where nothing is said.
struct HttpRefusal {
  std::string reason;
  std::string message;
};
HttpRefusal RefusalOf(const HttpAnswer& answer);

class HttpAnswerReader {
 public:
  HttpAnswerReader();
  ~HttpAnswerReader();
  HttpAnswerReader(const HttpAnswerReader&) = delete;
  HttpAnswerReader& operator=(const HttpAnswerReader&) = delete;

  // Takes what belongs to the answer off the front of `bytes`; all of it, unless the answer is
  // whole. False: that is no HTTP.
  bool Read(std::string_view& bytes);
  bool is_whole() const;
  HttpAnswer Take();  // REQUIRES: is_whole().

 private:
  class State;
  std::unique_ptr<State> state_;
};

}  // namespace confab::loadgen
