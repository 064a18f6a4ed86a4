import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { generate } from 'selfsigned'
import { address, httpsPort } from '../shared/config.js'

/** Runs the nginx of this computer with `nginx.conf`, on our ports, and a certificate that nobody else trusts. */
export async function startNginx(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-https-'))
  const { cert, private: key } = await generate([{ name: 'commonName', value: 'localhost' }])
  const config = readFileSync(join(import.meta.dirname, 'nginx.conf'), 'utf8')
  const files = {
    'certificate.pem': cert,
    'key.pem': key,
    'nginx.conf': config.replaceAll('8080', `${address.port}`).replace('8443', `${httpsPort}`),
  }
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text, { mode: 0o600 })
  const nginx = spawn(process.env.NGINX_PATH || 'nginx', ['-p', folder, '-c', join(folder, 'nginx.conf')], {
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  nginx.on('error', ({ message }) => {
    throw new Error(`This needs nginx: install it, or name it in NGINX_PATH (${message}).`)
  })
  process.on('exit', () => {
    nginx.kill()
    rmSync(folder, { recursive: true })
  })
  while (!(await isUp())) await setTimeout(50)
}

function isUp(): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(httpsPort, '127.0.0.1', () => {
      socket.destroy()
      resolve(true)
    })
    socket.on('error', () => resolve(false))
  })
}
