// http_api_service.h: the HTTP API as the HTTP talk sees it.
// Owns: the API, what its exchanges share.   Used by: io_thread.
// Threads: confined to the io thread.
// Fails: every request gets an answer.
#pragma once

#include <functional>
#include <memory>
#include <string_view>

#include "edge/auth/origin_policy.h"
#include "edge/http_api/http_api.h"
#include "edge/http_api/http_exchange.h"
#include "edge/transport/http_service.h"

namespace confab::edge {

class HttpApiService final : public HttpService {
 public:
  // `origins` and what `home` refers to outlive this object. `is_attached`: control is there.
  HttpApiService(const OriginPolicy& origins, HttpExchangeHome home,
                 std::function<bool()> is_attached);

  std::unique_ptr<HttpCall> Serve(const HttpRequestView& request, std::string_view body,
                                  Done done) override;

 private:
  HttpApi api_;
  HttpExchangeHome home_;
  const std::function<bool()> is_attached_;
};

}  // namespace confab::edge
