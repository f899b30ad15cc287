// What a batch costs before a database sees it.
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "storage/postgres/binary_values.h"
#include "storage/postgres/one_trip_append.h"
#include "storage/postgres/text_array.h"
#include "storage/postgres/watchdog.h"
#include "storage/record_check.h"
#include "tests/bench/control_benches.h"
#include "tests/bench/sample_batch.h"

namespace confab::control {

namespace {

using benchmark::DoNotOptimize;
using benchmark::State;
using storage::BinaryArray;
using storage::BinaryRows;
using storage::TextArray;
using tests::Require;

constexpr int kTexts = 64;
constexpr int kStatements = 5;
// As clients write them; 200 bytes each.
const std::string kPlain(200, 'x');
std::string Json() {
  std::string text = "{";
  for (int i = 0; text.size() < 190; ++i) text += "\"name" + std::to_string(i) + "\":\"value\",";
  text.resize(199, 'x');
  return text + "}";
}

// A letter beyond ASCII now and then.
std::string Mixed() {
  std::string text;
  while (text.size() < 180) text += "plain words from Z\xC3\xBCrich, ";
  return text;
}

void CheckText(State& state, const std::string& text) {
  for (auto _ : state) {
    for (int i = 0; i < kTexts; ++i) {
      std::string_view seen = text;
      DoNotOptimize(seen);
      DoNotOptimize(storage::IsStorableText(seen));
    }
  }
}

void CheckMessages(State& state, int size) {
  SampleBatch batch(size);
  const auto messages = batch.Next();
  for (auto _ : state) Require(storage::CheckBatch(messages).ok(), "the batch was refused");
}

void AskIfOneTrip(State& state, int size) {
  SampleBatch batch(size);
  const auto messages = batch.Next();
  for (auto _ : state) Require(storage::FitsOneTrip(messages), "the batch is no handful");
}

// As around a batch of five statements.
void GuardStatements(State& state) {
  constexpr int kNoSocket = -1;
  storage::Watchdog watchdog;
  storage::Watchdog::Session session(watchdog, kNoSocket);
  for (auto _ : state) {
    storage::Watchdog::Guard guard(session, std::chrono::seconds(60));
    for (int i = 1; i < kStatements; ++i) guard.Restart();
    DoNotOptimize(guard.has_fired());
  }
}

void BuildArray(State& state, const std::string& text) {
  for (auto _ : state) {
    TextArray array(kTexts * (text.size() + TextArray::kWordBytes));
    for (int i = 0; i < kTexts; ++i) array.Add(text);
    DoNotOptimize(array.Finish().size());
  }
}

void BuildBinaryArray(State& state, const std::string& text) {
  for (auto _ : state) {
    BinaryArray array(storage::kTextType, kTexts * (text.size() + sizeof(uint32_t)));
    for (int i = 0; i < kTexts; ++i) array.Add(text);
    DoNotOptimize(array.Finish().bytes.size());
  }
}

// A message's row, about.
void BuildRows(State& state) {
  constexpr int kTextColumns = 13;
  constexpr int kNumberColumns = 8;
  const std::string id(36, 'i');
  for (auto _ : state) {
    BinaryRows rows(1, kTextColumns + kNumberColumns, kTexts * 1'000);
    for (int i = 0; i < kTexts; ++i) {
      rows.BeginRow();
      rows.Text(kPlain);
      for (int column = 1; column < kTextColumns; ++column) rows.Text(column < 5 ? id : "");
      for (int column = 0; column < kNumberColumns; ++column) rows.Int8(i);
    }
    DoNotOptimize(rows.Finish().bytes.size());
  }
}

}  // namespace

void AddBatchBenches(tests::BenchList& list) {
  constexpr std::int64_t kCounted = 20;
  list.Add({"batch/array/plain", "text", kTexts, kCounted,
            [](State& state) { BuildArray(state, kPlain); }});
  list.Add({"batch/array/json", "text", kTexts, kCounted,
            [](State& state) { BuildArray(state, Json()); }});
  list.Add({"batch/array/binary", "text", kTexts, kCounted,
            [](State& state) { BuildBinaryArray(state, kPlain); }});
  list.Add({"batch/rows/binary", "row", kTexts, kCounted, BuildRows});
  list.Add({"batch/check_text/ascii", "text", kTexts, kCounted,
            [](State& state) { CheckText(state, kPlain); }});
  list.Add({"batch/check_text/mixed", "text", kTexts, kCounted,
            [](State& state) { CheckText(state, Mixed()); }});
  list.Add(
      {"batch/check/64", "message", 64, kCounted, [](State& state) { CheckMessages(state, 64); }});
  list.Add({"batch/fits_one_trip/8", "message", 8, 10 * kCounted,
            [](State& state) { AskIfOneTrip(state, 8); }});
  list.Add({"database/guard", "statement", kStatements, 10 * kCounted, GuardStatements});
}

}  // namespace confab::control
