import NetInfo from '@react-native-community/netinfo'
import { appPresence, GuardedSocket, header, lifecycle, renewal } from '@sallyport/client'
import { useGuardedSocket } from '@sallyport/client/react'
import { useState } from 'react'
import { AppState, Button, Platform, StyleSheet, Text, TextInput, View } from 'react-native'

/** Your computer, as the emulator of Android calls it, and the simulator of iOS. */
const api = Platform.OS === 'android' ? 'http://10.0.2.2:8080' : 'http://localhost:8080'

/** One for the whole application. */
const presence = appPresence(AppState, NetInfo)

/** Signs in any name. Your application refreshes its token here; what lives long is kept by expo-secure-store. */
async function getAccessToken(user: string): Promise<string> {
  const response = await fetch(`${api}/login`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ user }),
  })
  const { token } = await response.json()
  return token
}

function Chat({ user }: { user: string }) {
  const [lines, setLines] = useState<string[]>([])
  const [text, setText] = useState('')
  const { status, outcome, send, reset } = useGuardedSocket(() => {
    const token = () => getAccessToken(user)
    const socket = new GuardedSocket(`${api}/ws`, {
      credential: header(token),
      renew: renewal('/ws/renew', { token }),
      lifecycle: lifecycle({ presence }),
      dangerouslyAllowPlaintext: __DEV__, // your computer has no certificate
    })
    socket.addEventListener('message', ({ data }) => setLines((lines) => [...lines, data]))
    return socket
  }, [user]) // another account is another socket

  return (
    <>
      <Text>{outcome ? `${status}: ${outcome.kind}` : status}</Text>
      {status === 'closed' && <Button title="Come again" onPress={reset} />}
      <TextInput style={styles.input} placeholder="Say something" value={text} onChangeText={setText} />
      <Button title="Send" disabled={status !== 'open'} onPress={() => send(text)} />
      <Text>{lines.join('\n')}</Text>
    </>
  )
}

export default function App() {
  const [name, setName] = useState('')
  const [user, setUser] = useState('')
  return (
    <View style={styles.screen}>
      <TextInput
        style={styles.input}
        placeholder="Your name"
        autoCapitalize="none"
        value={name}
        onChangeText={setName}
      />
      <Button title="Sign in" disabled={name === ''} onPress={() => setUser(name)} />
      {user !== '' && <Chat key={user} user={user} />}
    </View>
  )
}

const styles = StyleSheet.create({
  screen: { flex: 1, gap: 12, padding: 24, paddingTop: 72 },
  input: { borderWidth: 1, borderRadius: 6, padding: 12 },
})
