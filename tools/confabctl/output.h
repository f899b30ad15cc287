// output.h: tables for people, proto3 JSON for programs.
// Threads: caller serialises.
#pragma once

#include <cstddef>
#include <iosfwd>
#include <string>
#include <string_view>
#include <vector>

#include <google/protobuf/message.h>
#include <google/protobuf/timestamp.pb.h>

#include "confab/v1/types.pb.h"

namespace confab::ctl {

// Columns as wide as their widest cell; nothing behind the last one.
class Table {
 public:
  explicit Table(std::vector<std::string> headers);
  void Add(std::vector<std::string> row);
  void Print(std::ostream& out) const;

 private:
  std::vector<std::vector<std::string>> rows_;  // The first one are the headers.
};

// One line of proto3 JSON; fields at their default are written too.
std::string ToJson(const google::protobuf::Message& message);

bool IsUtf8(std::string_view text);

// Text of others, for a terminal: control characters and invalid UTF-8 are escaped, so that a
// message cannot move the cursor or forge a line.
std::string Printable(std::string_view text);
// The same; "-" if there is none: a column of a table is never empty.
std::string OrDash(std::string_view text);

// "2026-11-21T09:30:00.123Z"; "-" if unset.
std::string Show(const google::protobuf::Timestamp& time);

// "member", "owner"; "private", "public".
std::string Show(v1::Role role);
std::string Show(v1::RoomVisibility visibility);
// "online", "away", "dnd", "offline".
std::string ShowStatus(const v1::Presence& presence);
// "-" if `restriction` is null, "until lifted", or its end.
std::string Show(const v1::Restriction* restriction);

// REQUIRES: `word` is one of RoleWords().
v1::Role RoleOfWord(std::string_view word);
const std::vector<std::string>& RoleWords();

// What an event says, in one line: "hello", "added ann as member".
std::string Describe(const v1::Event& event);
// Its actor: "Ann (u1)", "u1" or "system".
std::string ActorOf(const v1::Event& event);

}  // namespace confab::ctl
