#include "tools/confabctl/room_export.h"

#include <cstdint>
#include <memory>
#include <ostream>
#include <string>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "tools/confabctl/control_client.h"
#include "tools/confabctl/output.h"

namespace confab::ctl {
namespace {

struct ExportOptions {
  std::string room;
  int64_t after = 0;
};

Exit Export(Invocation& run, const ExportOptions& options) {
  Exit exit = Exit::kDone;
  const auto client = ControlClient::Open(run, &exit);
  if (client == nullptr) return exit;
  grpc::ClientContext context;
  client->Prepare(context);
  v1::ExportRoomRequest request;
  request.set_room_id(options.room);
  request.set_after_seq(options.after);
  const auto stream = client->messages().ExportRoom(&context, request);
  const bool shows_progress = isatty(STDERR_FILENO) == 1;
  v1::ExportRoomResponse batch;
  int64_t events = 0;
  while (stream->Read(&batch)) {
    for (const v1::Event& event : batch.events()) {
      run.streams.out << ToJson(event) << '\n';
      ++events;
    }
    if (shows_progress && batch.events_size() > 0) {
      run.streams.err << fmt::format("\r{} of {}", batch.events(batch.events_size() - 1).seq(),
                                     batch.last_seq())
                      << std::flush;
    }
  }
  run.streams.out.flush();
  if (shows_progress) run.streams.err << '\r';
  exit = client->Explain(stream->Finish());
  if (exit == Exit::kDone) run.streams.err << fmt::format("{} events\n", events);
  return exit;
}

}  // namespace

void AddRoomExportVerb(CLI::App& noun, Invocation& run) {
  auto options = std::make_shared<ExportOptions>();
  CLI::App* verb = noun.add_subcommand("export", "Writes a room's whole log, one event a line");
  verb->add_option("ROOM", options->room, "The room's id")->required();
  verb->add_option("--after", options->after, "Only what came after this seq")->check(IsSeq);
  verb->footer(
      "Each line is an event as JSON, whatever -o says. It ends with the newest event of the\n"
      "moment it began.\n"
      "\nExamples:\n"
      "  confabctl room export lobby > lobby.jsonl\n"
      "  confabctl room export lobby --after 1000 >> lobby.jsonl");
  verb->callback(
      [options, &run] { run.verb = [options](Invocation& r) { return Export(r, *options); }; });
}

}  // namespace confab::ctl
