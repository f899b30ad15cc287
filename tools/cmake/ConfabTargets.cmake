# confab_flags: what every translation unit of ours is compiled with.
# confab_library(), confab_binary(), confab_test(): the only ways a target of ours is made.

add_library(confab_flags INTERFACE)
target_include_directories(confab_flags INTERFACE "${CMAKE_SOURCE_DIR}")
target_compile_definitions(confab_flags INTERFACE
  BOOST_ASIO_SEPARATE_COMPILATION BOOST_BEAST_SEPARATE_COMPILATION
  BOOST_ASIO_NO_DEPRECATED BOOST_ASIO_DISABLE_BOOST_COROUTINE
  CONFAB_VERSION="${PROJECT_VERSION}")
target_compile_options(confab_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wnon-virtual-dtor
  -Woverloaded-virtual -Wold-style-cast -Wextra-semi -Wimplicit-fallthrough
  $<$<CXX_COMPILER_ID:GNU>:-Wduplicated-cond -Wlogical-op>
  $<$<CXX_COMPILER_ID:Clang>:-Wthread-safety>
  -Wno-error=deprecated-declarations
  -fno-omit-frame-pointer -fstack-protector-strong)
target_link_options(confab_flags INTERFACE -Wl,-z,relro,-z,now)
if(CONFAB_WERROR)
  target_compile_options(confab_flags INTERFACE -Werror)
endif()
if(CONFAB_SANITIZE)
  target_compile_options(confab_flags INTERFACE -fsanitize=${CONFAB_SANITIZE} -fno-sanitize-recover=all)
  target_link_options(confab_flags INTERFACE -fsanitize=${CONFAB_SANITIZE})
  if(CONFAB_SANITIZE MATCHES "undefined")
    # The check of virtual tables opens a pipe to look at memory: where a test has used up all
    # descriptors it reports what is no fault.
    target_compile_options(confab_flags INTERFACE -fno-sanitize=vptr)
  endif()
  if(CONFAB_SANITIZE MATCHES "thread")
    # Without it GCC warns by the thousand about atomic_thread_fence, which TSan cannot follow.
    target_compile_definitions(confab_flags INTERFACE BOOST_ASIO_DISABLE_FENCED_BLOCK)
  endif()
endif()
if(CONFAB_FUZZ)
  # The second pair counts what was reached, for the report of tools/fuzz.
  target_compile_options(confab_flags INTERFACE
    -fsanitize=fuzzer-no-link -fprofile-instr-generate -fcoverage-mapping)
  target_link_options(confab_flags INTERFACE -fprofile-instr-generate)
endif()
if(NOT CMAKE_BUILD_TYPE STREQUAL "Release" AND NOT CMAKE_BUILD_TYPE STREQUAL "RelWithDebInfo")
  target_compile_definitions(confab_flags INTERFACE _GLIBCXX_ASSERTIONS)
elseif(NOT CONFAB_SANITIZE)
  target_compile_options(confab_flags INTERFACE -D_FORTIFY_SOURCE=2)
endif()

# confab_library(NAME SOURCES a.cc ... [PUBLIC target ...] [PRIVATE target ...])
# One static library a folder. PRIVATE is the default habit: it keeps includes from travelling.
function(confab_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;PUBLIC;PRIVATE" ${ARGN})
  add_library(${name} STATIC ${ARG_SOURCES})
  target_link_libraries(${name} PUBLIC confab_flags ${ARG_PUBLIC} PRIVATE ${ARG_PRIVATE})
endfunction()

# confab_binary(NAME SOURCES a.cc ... LINK target ...)   ends up in build/<preset>/bin
function(confab_binary name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINK" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE confab_flags ${ARG_LINK} Threads::Threads)
endfunction()

# confab_test(NAME SOURCES a_test.cc ... LINK target ... [LABELS label ...] [TIMEOUT s])
# One GoogleTest binary a folder; every TEST is a ctest test. Label `grpc` marks what links gRPC,
# `system` what starts our servers: under ThreadSanitizer these do not exist (the packaged gRPC
# is not instrumented). Target confab_tests builds every test binary.
add_custom_target(confab_tests)
function(confab_test name)
  cmake_parse_arguments(ARG "" "TIMEOUT" "SOURCES;LINK;LABELS" ${ARGN})
  if(CONFAB_SANITIZE MATCHES "thread" AND ARG_LABELS MATCHES "grpc|system")
    return()
  endif()
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE confab_flags ${ARG_LINK} GTest::gmock GTest::gtest_main Threads::Threads)
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/tests")
  add_dependencies(confab_tests ${name})
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 60)
  endif()
  if(NOT ARG_LABELS)
    set(ARG_LABELS unit)
  endif()
  string(REPLACE ";" "\\;" labels "${ARG_LABELS}")
  include(GoogleTest)
  gtest_discover_tests(${name} DISCOVERY_TIMEOUT 60
    PROPERTIES TIMEOUT ${ARG_TIMEOUT} LABELS "${labels}")
endfunction()
