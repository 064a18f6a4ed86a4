import { mount } from 'svelte'
import '../shared/page/style.css'
import App from './App.svelte'

mount(App, { target: document.querySelector('#app')! })
