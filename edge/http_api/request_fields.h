// request_fields.h: reads what a request says: path, query and JSON body; remembers the first thing
// wrong.
// Owns: nothing; views the request.   Used by: http_routes.
// Threads: confined to the caller.
// Fails: TakeRefusal gives a BAD_REQUEST that names the field.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <boost/json/value.hpp>

#include "confab/v1/types.pb.h"

#include "edge/transport/http_answer.h"
#include "edge/transport/http_target.h"

namespace confab::edge {

class RequestFields {
 public:
  // `segment` is the path's {roomId}, not decoded; `body` null: the route has none.
  RequestFields(const HttpRequestView& request, const HttpTarget& target, std::string_view segment,
                const boost::json::object* body)
      : request_(request), target_(target), segment_(segment), body_(body) {}

  // --- Each leaves its target alone when the field is missing or wrong. null counts as missing.
  void RoomId(std::string& id);  // Of the path.
  std::optional<int64_t> QueryNumber(const char* field);
  void QueryText(const char* field, std::string& text);
  // An id is a string, or a number of plain digits, which becomes its decimal string.
  void BodyId(const boost::json::object& object, const char* field, bool is_required,
              std::string& id);
  void BodyText(const boost::json::object& object, const char* field, std::string& text);
  std::optional<bool> BodyBool(const boost::json::object& object, const char* field);
  std::optional<int64_t> BodyNumber(const boost::json::object& object, const char* field);
  // The one in the body and the header Idempotency-Key are the same or only one is given.
  void Key(const char* field, std::string& key);
  // Authorization, else the query's token.
  std::string Token() const;

  const boost::json::object& body() const;  // REQUIRES: the route has one.
  // nullptr: missing or null.
  static const boost::json::value* Find(const boost::json::object& object, std::string_view field);

  void Refuse(std::string_view field, std::string_view what);
  std::optional<v1::Error> TakeRefusal() { return std::move(refusal_); }

 private:
  const HttpRequestView& request_;
  const HttpTarget& target_;
  const std::string_view segment_;
  const boost::json::object* const body_;
  std::optional<v1::Error> refusal_;
};

}  // namespace confab::edge
