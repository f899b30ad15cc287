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
#include <google/protobuf/repeated_ptr_field.h>
#include <google/protobuf/timestamp.pb.h>

#include "confab/v1/types.pb.h"

#include "edge/http_api/http_path.h"
#include "edge/transport/http_answer.h"
#include "edge/transport/http_target.h"

namespace confab::edge {

class RequestFields {
 public:
  // `segments` are the path's {names}, not decoded; `body` null: the route has none, else it was
  // read from `text`.
  RequestFields(const HttpRequestView& request, const HttpTarget& target,
                const PathSegments& segments, const boost::json::object* body,
                std::string_view text)
      : request_(request), target_(target), segments_(segments), body_(body), text_(text) {}

  // --- Each leaves its target alone when the field is missing or wrong. null counts as missing.
  void RoomId(std::string& id) { PathId("roomId", 0, id); }
  void PathId(const char* field, std::size_t place, std::string& id);  // The path's n-th {name}.
  std::optional<int64_t> QueryNumber(const char* field);
  void QueryText(const char* field, std::string& text);
  std::optional<google::protobuf::Timestamp> QueryTime(const char* field);  // RFC 3339.
  // An id is a string, or a number of plain digits, which becomes its decimal string.
  void BodyId(const boost::json::object& object, const char* field, bool is_required,
              std::string& id);
  void BodyText(const boost::json::object& object, const char* field, std::string& text);
  std::optional<bool> BodyBool(const boost::json::object& object, const char* field);
  std::optional<int64_t> BodyNumber(const boost::json::object& object, const char* field);
  // An array of ids.
  void BodyIds(const char* field, google::protobuf::RepeatedPtrField<std::string>& ids);
  // Whatever stands there, byte for byte.
  void BodyJson(const char* field, std::string& text);
  // The one in the body and the header Idempotency-Key are the same or only one is given.
  void Key(const char* field, std::string& key);
  // Authorization, else the query's token.
  std::string Token() const;
  void ServiceToken(std::string& token);  // The same, for a command.

  const boost::json::object& body() const;  // REQUIRES: the route has one.
  // nullptr: missing or null.
  static const boost::json::value* Find(const boost::json::object& object, std::string_view field);

  void Refuse(std::string_view field, std::string_view what);
  std::optional<v1::Error> TakeRefusal() { return std::move(refusal_); }

 private:
  const HttpRequestView& request_;
  const HttpTarget& target_;
  const PathSegments& segments_;
  const boost::json::object* const body_;
  const std::string_view text_;
  std::optional<v1::Error> refusal_;
};

}  // namespace confab::edge
