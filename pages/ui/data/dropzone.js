// Sends dropped files to the app's upload route in pieces, and tells the script which names they got.
const PIECE = 8 * 1024 * 1024
const running = new WeakMap() // place on the page -> {controller}
const WAITS = [1, 2, 4, 8, 15, 30] // seconds before it is tried again
const AWAY = "The server is not ready" // or its proxy does not reach it
const NOT_NOW = { 423: "The server is still receiving this file", 502: AWAY, 503: AWAY, 504: AWAY }

export default function ({ parentElement, data, setTriggerValue }) {
  const find = (id) => parentElement.querySelector("#" + id)
  const [zone, pick, say, bar, stop] = ["zone", "pick", "say", "bar", "stop"].map(find)
  pick.accept = data.accept
  find("what").textContent = data.label
  find("hint").textContent = data.hint

  pick.onchange = () => send([...pick.files])
  stop.onclick = () => running.get(parentElement)?.abort()
  zone.ondragover = (event) => { event.preventDefault(); zone.classList.add("over") }
  zone.ondragleave = () => zone.classList.remove("over")
  zone.ondrop = (event) => {
    event.preventDefault()
    zone.classList.remove("over")
    send([...event.dataTransfer.files])
  }

  async function send(files) {
    if (!files.length || running.has(parentElement)) return
    const controller = new AbortController()
    running.set(parentElement, controller)
    show(0, "Starting", true)
    try {
      const names = []
      for (const [number, file] of files.entries()) {
        const which = files.length > 1 ? ` (${number + 1} of ${files.length})` : ""
        names.push(await sendOne(file, which, controller.signal))
      }
      show(1, files.length > 1 ? `${files.length} files are here` : `${names[0]} is here`, false)
      setTriggerValue("done", names)
    } catch (error) {
      const again = "Choose the same file to go on."
      if (error.name === "AbortError") show(0, `Stopped. ${again}`, false)
      else if (error instanceof TypeError) show(0, `The connection was lost. ${again}`, false, true)
      else show(0, error.message, false, true)
    } finally {
      running.delete(parentElement)
      pick.value = "" // so that choosing the same file again counts as a change
    }
  }

  async function sendOne(file, which, signal) {
    if (!file.size) throw new Error(`${file.name} is empty.`)
    let have = 0
    let mark = null // {at, have} from which on the pace is measured: not what was here before
    for (;;) {
      const answer = await patiently(() => put(file, have, signal), have / file.size, signal)
      const body = await answer.json().catch(() => ({}))
      if (answer.status !== 409 && !answer.ok) {
        throw new Error(body.error ?? `The server answered with status ${answer.status}.`)
      }
      have = body.have
      if (!mark || have < mark.have) mark = { at: performance.now(), have } // less after a server's restart
      const text = `${file.name}${which}: ${megabytes(have)} of ${megabytes(file.size)} MB`
      show(have / file.size, text + pace(mark, have, file.size), true)
      if (body.name) return body.name
    }
  }

  // Tries again for a minute, as a laptop that slept or a server that starts anew is soon there again.
  async function patiently(ask, part, signal) {
    for (const wait of WAITS) {
      let problem = "The connection was lost"
      try {
        const answer = await ask()
        problem = NOT_NOW[answer.status]
        if (!problem) return answer
      } catch (error) {
        if (!(error instanceof TypeError)) throw error
      }
      show(part, `${problem}. It is tried again in ${wait} s.`, true)
      await pause(wait, signal)
    }
    return ask()
  }

  function put(file, have, signal) {
    const query = new URLSearchParams({ name: file.name, offset: have, total: file.size })
    const token = document.cookie.match(/(?:^|; )_streamlit_xsrf=([^;]*)/)
    return fetch(`${data.url}/${fileId(file)}?${query}`, {
      method: "PUT",
      body: file.slice(have, have + PIECE),
      headers: { "X-Requested-With": data.mark, "X-Xsrftoken": token ? decodeURIComponent(token[1]) : "" },
      signal,
    })
  }

  function show(part, text, busy, failed = false) {
    bar.style.width = `${Math.round(part * 100)}%`
    say.textContent = text
    zone.classList.toggle("busy", busy)
    zone.classList.toggle("failed", failed)
    stop.hidden = !busy
  }

  return () => running.get(parentElement)?.abort()
}

const pause = (seconds, signal) => new Promise((resolve, reject) => {
  const timer = setTimeout(resolve, seconds * 1000)
  signal.addEventListener("abort", () => {
    clearTimeout(timer)
    reject(signal.reason)
  })
})

function pace(mark, have, total) {
  const seconds = (performance.now() - mark.at) / 1000
  const speed = (have - mark.have) / seconds
  if (seconds < 1 || !speed) return ""
  const left = Math.ceil((total - have) / speed)
  const told = left < 60 ? `${left} s` : `${Math.ceil(left / 60)} min`
  return `, ${megabytes(speed)} MB/s, ${told} left`
}

const megabytes = (bytes) => (bytes / 1e6).toFixed(1)

// The same file gets the same id, so that an upload which was cut off goes on (no crypto: it needs https).
function fileId(file) {
  const text = `${file.name}|${file.size}|${file.lastModified}`
  return [2166136261, 3735928559].map((seed) => hash(text, seed)).join("")
}

function hash(text, seed) {
  let value = seed
  for (const letter of text) value = Math.imul(value ^ letter.codePointAt(0), 16777619)
  return (value >>> 0).toString(16).padStart(8, "0")
}
