#include "edge/http_api/http_api_service.h"

#include <utility>

namespace confab::edge {

HttpApiService::HttpApiService(const OriginPolicy& origins, HttpExchangeHome home,
                               std::function<bool()> is_attached)
    : api_(origins), home_(std::move(home)), is_attached_(std::move(is_attached)) {}

std::unique_ptr<HttpCall> HttpApiService::Serve(const HttpRequestView& request,
                                                std::string_view body, Done done) {
  std::variant<HttpAnswer, HttpAsk> read = api_.Read(request, body, is_attached_());
  if (auto* answer = std::get_if<HttpAnswer>(&read)) {
    done(std::move(*answer));
    return nullptr;
  }
  AddressTicket address;
  if (home_.addresses != nullptr) address = AddressTicket(*home_.addresses, request.client);
  return std::make_unique<HttpExchange>(home_, std::get<HttpAsk>(std::move(read)), std::move(done),
                                        address);
}

}  // namespace confab::edge
